"""Validates data packages with frictionless: package.py FOLDER... Prints every error; exits with 1 if there is one."""

import sys

from frictionless import system, validate

failed = False
for folder in sys.argv[1:]:
    with system.use_context(trusted=True):
        report = validate(f"{folder}/datapackage.json")
    names = [task.name for task in report.tasks]
    print(folder, len(names), "tables")
    for error in report.errors + [error for task in report.tasks for error in task.errors]:
        print(folder, error.type, error.message)
        failed = True
    failed = failed or not report.valid or len(names) < 10
sys.exit(failed)
