"""Validates RO-Crates without asking anybody for anything: crate.py FOLDER... Prints every issue; exits with 1 if there is one.

The JSON-LD context of RO-Crate lies on the web. Here stands what a crate of Lacuna uses of it.
"""

import io
import json
import sys

import rdflib.parser
from rocrate_validator import services
from rocrate_validator.models import Severity, ValidationSettings
from rocrate_validator.utils.http import HttpRequester

TERMS = """CreateAction CreativeWork Dataset about actionStatus additionalType contentSize datePublished description encodingFormat
endTime hasPart identifier instrument license mentions name object result sha256 softwareVersion startTime url version""".split()
CONTEXT = {"@context": {term: f"http://schema.org/{term}" for term in TERMS}}
CONTEXT["@context"] |= {"File": "http://schema.org/MediaObject", "conformsTo": "http://purl.org/dc/terms/conformsTo"}


class Answer(io.BytesIO):
    """The context, as either of the two libraries that ask for it takes it."""

    status_code = 200
    headers = {"Content-Type": "application/ld+json"}

    def info(self):
        return self.headers

    def geturl(self):
        return "https://w3id.org/ro/crate/1.2/context"

    def json(self):
        return CONTEXT


def answer(request, *arguments, **options):
    url = getattr(request, "full_url", request)
    assert url == "https://w3id.org/ro/crate/1.2/context", f"nothing else may be asked for: {url}"
    return Answer(json.dumps(CONTEXT).encode())


rdflib.parser._urlopen = answer
HttpRequester.get = lambda self, url, *arguments, **options: answer(url)
failed = False
for folder in sys.argv[1:]:
    settings = ValidationSettings(rocrate_uri=folder, profile_identifier="ro-crate-1.2", requirement_severity=Severity.REQUIRED)
    result = services.validate(settings)
    print(folder, "valid" if result.passed() else "not valid")
    for issue in result.get_issues():
        print(issue.severity, issue.message)
    failed = failed or not result.passed()
sys.exit(failed)
