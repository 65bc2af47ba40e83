"""A-16: nobody sets a column by naming it, at any door that takes a body or a query."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any, get_args

import msgspec
import pytest
from django.apps import apps

from tests.api.client import MINIMAL, PAYMENTS
from tests.builders import make_dispute, make_payment_in, make_settled, make_subscription, make_surplus
from tillgate.api import fields, shapes
from tillgate.common.errors import InvalidRequest
from tillgate.payments.models import Payment

# Beside the columns of every table: what other products' attackers have tried.
TRIED_ELSEWHERE = [
    *("owner", "user", "user_id", "account", "tenant", "role", "is_admin", "is_staff", "is_superuser"),
    *("is_test", "test", "paid", "paid_at", "is_paid", "amount_paid", "total", "price", "discount", "fee"),
    *("id", "pk", "_id", "uuid", "created", "__proto__", "constructor", "prototype", "__class__", "_state"),
    *(
        "status ",
        " status",
        "Status",
        "STATUS",
        "stаtus",
        "amount.minor",
        "amount[minor]",
        "$where",
        "_method",
    ),
]
AT_ONCE = fields.MAX_TOLD  # So many unknown members are named in one answer.


def _columns() -> set[str]:
    """The name of every column of every table, also as Python calls it."""
    concrete = [field for model in apps.get_models() for field in model._meta.concrete_fields]
    return {name for field in concrete for name in (field.name, field.attname)}


NAMES = sorted({*_columns(), *TRIED_ELSEWHERE})


def _shapes(*ends: str) -> Iterator[type[msgspec.Struct]]:
    for module in pkgutil.iter_modules(shapes.__path__):
        for name, shape in vars(importlib.import_module(f"{shapes.__name__}.{module.name}")).items():
            if isinstance(shape, type) and issubclass(shape, msgspec.Struct) and name.endswith(ends):
                yield shape


def _known(shape: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(shape)}


def _nested(shape: type[msgspec.Struct]) -> Iterator[tuple[str, type[msgspec.Struct]]]:
    for field in msgspec.structs.fields(shape):
        inner = [one for one in get_args(field.type) if isinstance(one, type)]
        yield from ((field.encode_name, one) for one in inner if issubclass(one, msgspec.Struct))


def _refused(shape: type[msgspec.Struct], body: dict[str, Any]) -> set[str]:
    """The members that reading a body refuses as unknown."""
    with pytest.raises(InvalidRequest) as refused:
        fields.parse(shape, body)
    return {name for name, said in refused.value.errors.items() if "no such member" in said[0]}


@pytest.mark.parametrize("shape", sorted(set(_shapes("In", "Filter")), key=str), ids=lambda one: one.__name__)
def test_a16_no_shape_takes_a_column_that_it_does_not_list(shape):
    unknown = [name for name in NAMES if name not in _known(shape)]
    assert len(unknown) > 150

    for start in range(0, len(unknown), AT_ONCE):
        body = dict.fromkeys(unknown[start : start + AT_ONCE], "completed")
        assert _refused(shape, body) == set(body)
    for member, inner in _nested(shape):
        hidden = [name for name in NAMES if name not in _known(inner)]
        for start in range(0, len(hidden), AT_ONCE):
            body = dict.fromkeys(hidden[start : start + AT_ONCE], "completed")
            assert _refused(shape, {member: body}) == {f"{member}.{name}" for name in body}


@pytest.fixture
def doors(merchant, gateway):
    """Each door that takes a body: how it is called, its address, and a body that it would accept."""
    open_one, attempt = (
        make_payment_in("pending", merchant),
        make_settled(make_payment_in("pending", merchant)),
    )
    paid, review = attempt.payment, make_payment_in("review", merchant)
    subscription = f"/api/v1/subscriptions/{make_subscription(merchant).reference}"
    surplus, dispute = make_surplus(attempt).reference, make_dispute(attempt).reference
    monthly = {**MINIMAL, "interval": "monthly"}
    return [
        ("post", PAYMENTS, MINIMAL),
        ("post", f"{PAYMENTS}/{open_one.reference}/attempts", {}),
        ("post", f"{PAYMENTS}/{open_one.reference}/cancel", {}),
        ("post", f"{PAYMENTS}/{review.reference}/resolve", {"decision": "accept"}),
        ("post", f"{PAYMENTS}/{paid.reference}/refunds", {}),
        ("post", f"{PAYMENTS}/{paid.reference}/surplus/{surplus}/refund", {}),
        ("post", f"{PAYMENTS}/{paid.reference}/disputes/{dispute}/evidence", {"text": "A receipt."}),
        ("post", "/api/v1/subscriptions", monthly),
        ("patch", subscription, {"amount": 60}),
        *(("post", f"{subscription}/{action}", {}) for action in ("pause", "resume", "cancel")),
    ]


def _tables() -> dict[str, list[dict[str, Any]]]:
    return {
        model._meta.label: list(model._default_manager.order_by("pk").values()) for model in apps.get_models()
    }


def test_a16_at_every_door_a_column_is_refused_by_name_and_nothing_is_written(doors, owner, key):
    before = _tables()

    for verb, path, body in doors:
        for name in (
            "status",
            "id",
            "merchant_id",
            "mode",
            "received_minor",
            "created_by",
            "settles",
            "account",
        ):
            if name in body:
                continue
            answer = getattr(owner, verb)(
                path,
                {**body, name: "completed"},
                content_type="application/json",
                headers={"Idempotency-Key": "k"},
            )
            assert (answer.status_code, answer.json()["code"]) == (400, "unknown_member"), (path, name)
            assert list(answer.json()["errors"]) == [name]
    assert _tables() == before


def test_a16_the_doors_without_it_do_what_they_are_asked_for(doors, owner, key):
    """The control: each body was refused for that one member alone."""
    for verb, path, body in doors[:1] + doors[2:3] + doors[8:9]:
        answer = getattr(owner, verb)(path, body, content_type="application/json")
        assert answer.status_code in (200, 201), answer.content


@pytest.mark.parametrize(
    "nested", [{"recurring": {"interval": "monthly", "status": "active"}}, {"recurring": []}]
)
def test_a16_a_nested_member_is_held_to_its_own_list(owner, nested):
    answer = owner.create(**nested)

    assert answer.status_code == 400
    assert next(iter(answer.json()["errors"])).startswith("recurring")
    assert not Payment.objects.exists()


def test_a16_metadata_is_kept_as_text_and_sets_nothing(owner):
    names = dict.fromkeys(
        ["status", "id", "amount_minor", "mode", "merchant", "__class__", "pk"], "completed"
    )

    told = owner.create(metadata=names).json()["payment"]

    assert (told["status"], told["amount"], told["test"], told["metadata"]) == ("pending", 50.0, True, names)
