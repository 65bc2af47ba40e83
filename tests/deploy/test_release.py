"""A release: its notes, its wheel, and the list of what it is built from."""

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from deploy import notes
from deploy.__main__ import main
from deploy.failed import Failed
from deploy.notes import notes_of, version_here
from deploy.smoke import Smoke
from deploy.versions import ROOT, started, this_one
from launcher.environment import Installation, private_environment, product_environment
from launcher.processes import descendants
from launcher.product import free_ports
from tests.deploy.conftest import make_key

BIN = Path(sys.executable).parent
PACKAGES = ("tillgate", "launcher", "sandbox")
CHANGELOG = """# Changelog

## Unreleased

## 1.1.0 - 2026-02-01
- Something new.

### Fixed
- Something old.

## [1.0.0]
- The first.
"""


def test_a_versions_notes_are_its_section():
    assert notes_of("1.1.0", CHANGELOG) == "- Something new.\n\n### Fixed\n- Something old."
    assert notes_of("1.0.0", CHANGELOG) == "- The first."


@pytest.mark.parametrize(("version", "told"), [("1.0", "no section '## 1.0'"), ("Unreleased", "is empty")])
def test_a_version_without_notes_is_no_release(version, told):
    with pytest.raises(Failed, match=told):
        notes_of(version, CHANGELOG)


@pytest.fixture
def release(tmp_path, monkeypatch):
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.1.0"\n')
    monkeypatch.setattr(notes, "ROOT", tmp_path)


def test_a_tag_of_this_version_prints_its_notes(release, capsys):
    assert main(["notes", "v1.1.0", "--tag"]) == 0
    assert capsys.readouterr().out.startswith("- Something new.")


@pytest.mark.parametrize("tag", ["v1.0.0", "1.1.0", "v1.1.0-rc1"])
def test_a_tag_of_another_version_is_no_release(release, capsys, tag):
    assert main(["notes", tag, "--tag"]) == 1
    assert f"The tag {tag} and pyproject.toml's version 1.1.0" in capsys.readouterr().err


def test_the_software_bill_names_every_locked_package_with_its_hashes(tmp_path):
    command = [str(BIN / "cyclonedx-py"), "requirements", "requirements/base.lock", "--output-reproducible"]
    command += ["--pyproject", "pyproject.toml", "--output-file", str(tmp_path / "sbom.cdx.json")]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)

    bill = json.loads((tmp_path / "sbom.cdx.json").read_text())

    assert bill["bomFormat"] == "CycloneDX"
    about = bill["metadata"]["component"]
    assert (about["name"], about["version"]) == ("tillgate", version_here())
    listed = {
        (one["name"], one["version"]): {
            digest["content"]
            for reference in one["externalReferences"]
            for digest in reference.get("hashes", [])
        }
        for one in bill["components"]
    }
    assert listed == locked()


def locked():
    """Return the packages of base.lock and the hashes of each, read by this test's own eyes."""
    packages: dict[tuple[str, str], set[str]] = {}
    current: set[str] = set()
    for line in (ROOT / "requirements/base.lock").read_text().splitlines():
        if found := re.match(r"([a-z0-9-]+)(?:\[[a-z,]+\])?==([^ ;\\]+)", line):
            current = packages.setdefault((found[1], found[2]), set())
        current |= set(re.findall(r"--hash=sha256:([0-9a-f]{64})", line))
    return packages


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built as the release workflow does, from a copy: setuptools leaves its traces there."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    this_one(source)
    command = [str(BIN / "uv"), "build", "--wheel", "--no-build-isolation", "--python", sys.executable]
    done = subprocess.run(
        [*command, "--out-dir", str(built), str(source)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (path,) = built.glob("*.whl")
    return path


def test_the_wheel_holds_what_git_knows_of_the_packages_and_nothing_else(wheel):
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *PACKAGES]
    known = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    known = [name for name in known if (ROOT / name).is_file()]

    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}

    assert "tillgate/merchants/fees.toml" in names
    assert names == set(known)


def test_the_wheel_says_what_it_needs_and_how_it_is_called(wheel):
    with zipfile.ZipFile(wheel) as archive:
        told = {
            name.partition("/")[2]: archive.read(name).decode()
            for name in archive.namelist()
            if "info/" in name
        }

    wanted = [
        re.sub(r"\s", "", line)
        for line in (ROOT / "requirements/base.in").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    needs = [
        re.sub(r"\s", "", line)
        for line in re.findall(r"^Requires-Dist: (.*)$", told["METADATA"], re.MULTILINE)
    ]
    assert {re.split(r"[<>=]", one)[0] for one in needs} == {re.split(r"[<>=]", one)[0] for one in wanted}
    assert f"Version: {version_here()}" in told["METADATA"]
    assert "tillgate = launcher.__main__:main" in told["entry_points.txt"]


@pytest.mark.slow
@pytest.mark.journey
def test_a_payment_goes_through_in_a_product_that_runs_from_the_wheel(wheel, tmp_path):
    port, sandbox_port = free_ports(2)
    place, here = (
        tmp_path / "unpacked",
        Installation(data_dir=tmp_path / "var", port=port, sandbox_port=sandbox_port),
    )
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place)
    outer = {**private_environment(), "TILLGATE_DATA_DIR": str(here.data_dir), "PYTHONPATH": str(place)}
    # What the console script does, without this checkout in sight.
    command = [sys.executable, "-c", "import sys; from launcher.__main__ import main; sys.exit(main())"]
    command += ["--port", str(port), "--sandbox-port", str(sandbox_port)]
    lines: list[str] = []

    with started(command, tmp_path, outer, tmp_path / "log") as running:
        running.wait(here.url, "/readyz", 120)
        env = product_environment(here, {**outer, "TILLGATE_ENV": "local"})
        smoke = Smoke(here.url, make_key(env), lines.append, sandbox=here.sandbox_url)
        smoke.run_briefly()
        places = [os.readlink(f"/proc/{pid}/cwd") for pid in descendants(running.process.pid)]

    assert sum("is completed" in line for line in lines) == 3
    assert set(places) == {str(place)}
