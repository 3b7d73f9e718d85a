"""Executes a notebook and prints what its last cell plotted: notebook.py NOTEBOOK, with LACUNA_RUN in the environment."""

import base64
import json
import sys

import nbformat
from nbclient import NotebookClient

notebook = nbformat.read(sys.argv[1], as_version=4)
nbformat.validate(notebook)
assert all(not cell.get("outputs") for cell in notebook.cells), "the notebook is kept without outputs"
NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
pictures = [base64.b64decode(output.data["image/png"]) for output in outputs if "image/png" in output.get("data", {})]
plotted = [output.data["application/json"] for output in outputs if "application/json" in output.get("data", {})]
print(json.dumps({"pictures": [len(picture) for picture in pictures], "plotted": plotted}))
