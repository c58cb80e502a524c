"""Files of the user: folders of pictures, tables, texts and series."""
