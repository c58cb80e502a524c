"""Classic techniques as drop-in Keras 3 components; importing this registers them all.

A saved model that holds any of them loads after `import custom_layers`, with no
`custom_objects`. Import a component from the file that defines it:
`from custom_layers.dense import Dense`. Every file can also be copied alone.
"""

import importlib
import pkgutil

for _module in pkgutil.walk_packages(__path__, prefix=f"{__name__}."):
    importlib.import_module(_module.name)
