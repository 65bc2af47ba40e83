"""The decision: stay with the new image, or go back, and what is said of it."""

import pytest

from deploy.failed import Failed
from deploy.rollout import check_image, roll_out

OLD, NEW = (f"ghcr.io/ada/tillgate@sha256:{digit * 64}" for digit in "12")


class Place:
    """A target that runs what it is told, but for images in `refused`; `ill` ones run and are not well."""

    def __init__(self, runs=None, *, refused=(), ill=(), silent=False):
        self.runs, self.refused, self.ill, self.silent = runs, refused, ill, silent
        self.told, self.lines = [], []

    def current(self):
        if self.silent:
            raise Failed("the target answered 401")
        return self.runs

    def deploy(self, image):
        self.told.append(image)
        if image in self.refused:
            raise Failed("the target ended it as update_failed")
        self.runs = image

    def check(self):
        if self.runs in self.ill:
            raise Failed("POST /payments answered 500")

    def roll_out(self, image=NEW):
        return roll_out(self, image, self.check, self.lines.append)

    @property
    def said(self):
        return "\n".join(self.lines)


def test_a_new_image_that_is_well_stays():
    place = Place(OLD)

    assert place.roll_out()
    assert place.told == [NEW]
    assert f"now       {OLD}" in place.said
    assert "FAILED" not in place.said


@pytest.mark.parametrize("trouble", [{"refused": [NEW]}, {"ill": [NEW]}])
def test_a_new_image_that_is_not_well_gives_way_to_the_former_one(trouble):
    place = Place(OLD, **trouble)

    assert not place.roll_out()
    assert place.told == [NEW, OLD]
    assert place.runs == OLD
    assert f"back to   {OLD}" in place.said
    assert "migrations only add" in place.said
    assert place.lines[-1].startswith("back  ")


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [({"refused": [NEW]}, "ended it as update_failed"), ({"ill": [NEW]}, "POST /payments answered 500")],
)
def test_the_reason_is_told(trouble, reason):
    place = Place(OLD, **trouble)
    place.roll_out()

    assert f"FAILED    {reason}" in place.said.replace("the target ", "")


@pytest.mark.parametrize("trouble", [{"refused": [NEW, OLD]}, {"ill": [NEW, OLD]}])
def test_a_former_image_that_is_not_well_either_is_told_and_ends_it(trouble):
    place = Place(OLD, **trouble)

    assert not place.roll_out()
    assert place.told == [NEW, OLD]
    assert "NOT BACK  the former image is not well either" in place.said
    assert "Going back" in place.lines[-1]


def test_what_nobody_has_foreseen_leads_back_too(capsys):
    place = Place(OLD)

    assert not roll_out(place, NEW, lambda: {}["findings"], place.lines.append)

    assert place.told == [NEW, OLD]
    assert "unforeseen: KeyError('findings')" in place.said
    assert "Traceback" in capsys.readouterr().err


def test_without_a_former_image_what_is_deployed_is_left():
    place = Place(ill=[NEW])

    assert not place.roll_out()
    assert place.told == [NEW]
    assert "now       nothing" in place.said
    assert "no other image ran here before" in place.lines[-1]


def test_the_image_that_runs_already_is_no_way_back_to_itself():
    place = Place(NEW, ill=[NEW])

    assert not place.roll_out()
    assert place.told == [NEW]


def test_nothing_is_changed_where_it_cannot_be_told_what_runs():
    place = Place(OLD, silent=True)

    with pytest.raises(Failed, match="answered 401"):
        place.roll_out()
    assert place.told == []


@pytest.mark.parametrize(
    "image",
    [
        "ghcr.io/ada/tillgate:main",
        "ghcr.io/ada/tillgate",
        "ghcr.io/ada/tillgate@sha256:12",
        f"ghcr.io/ada/tillgate@sha256:{'1' * 64}; rm -rf /",
        f"ghcr.io/ada/tillgate@sha256:{'1' * 64}\n",
        f"$(reboot)/tillgate@sha256:{'1' * 64}",
        "",
    ],
)
def test_only_an_image_by_its_digest_is_deployed(image):
    place = Place(OLD)

    with pytest.raises(Failed, match="no image by digest"):
        place.roll_out(image)
    assert place.told == []


@pytest.mark.parametrize("image", [OLD, f"localhost:5000/a/b/tillgate@sha256:{'a' * 64}"])
def test_an_image_by_its_digest_is_taken(image):
    assert check_image(image) == image
