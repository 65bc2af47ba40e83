"""Static files as production serves them: compressed, named by their content, kept by browsers for good."""

import io
import json
import os

import pytest
from django.core.management import call_command
from django.http import HttpResponse
from django.test import RequestFactory
from whitenoise.middleware import WhiteNoiseMiddleware

from tillgate.management import static_files

pytestmark = pytest.mark.django_db  # A response that is closed closes what its request has opened.


@pytest.fixture
def collected(tmp_path, settings):
    """A folder of collected files; those of the API's documentation, which are large, are left out."""
    settings.COLLECTED_ROOT, settings.IS_LOCAL = tmp_path / "static", False
    words = ["--ignore", "drf_spectacular_sidecar"]
    call_command("collectstatic", "--noinput", *words, stdout=io.StringIO())
    settings.STATIC_ROOT = settings.COLLECTED_ROOT
    storage = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    settings.STORAGES = {"staticfiles": storage}  # As tillgate/settings.py does where they were collected.
    settings.WHITENOISE_USE_FINDERS = settings.WHITENOISE_AUTOREFRESH = False
    return settings.STATIC_ROOT


def serve(path, encoding):
    middleware = WhiteNoiseMiddleware(lambda request: HttpResponse(status=404))
    response = middleware(RequestFactory().get(path, headers={"Accept-Encoding": encoding}))
    response.close()
    return response


@pytest.mark.parametrize(("encoding", "chosen"), [("gzip, br", "br"), ("gzip", "gzip"), ("", None)])
def test_a_collected_file_is_compressed_and_kept_for_good(collected, encoding, chosen):
    name = json.loads((collected / "staticfiles.json").read_text())["paths"]["checkout/checkout.css"]

    response = serve(f"/static/{name}", encoding)

    assert name != "checkout/checkout.css"
    assert response.status_code == 200
    assert response.get("Content-Encoding") == chosen
    assert "immutable" in response["Cache-Control"]


def test_a_file_without_its_hash_is_not_kept_for_good(collected):
    assert "immutable" not in serve("/static/checkout/checkout.css", "br")["Cache-Control"]


def test_what_was_collected_by_this_version_is_not_collected_again(collected):
    assert not static_files.is_due()


def test_files_that_changed_since_are_collected(collected):
    os.utime(collected / "staticfiles.json", (0, 0))

    assert static_files.is_due()


def test_what_was_never_collected_is_collected_in_production_only(tmp_path, settings):
    settings.COLLECTED_ROOT, settings.IS_LOCAL = tmp_path / "static", False
    assert static_files.is_due()
    settings.IS_LOCAL = True
    assert not static_files.is_due()


def test_where_nothing_can_be_written_the_image_has_them(tmp_path, settings, monkeypatch):
    settings.COLLECTED_ROOT, settings.IS_LOCAL = tmp_path / "static", False
    monkeypatch.setattr(os, "access", lambda path, mode: False)

    assert not static_files.is_due()
