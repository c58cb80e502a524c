"""Reports on what a network makes: images, styles, anomalies it finds."""
