"""The library's forms of an account: its members in and out; what they do is ours."""

from collections.abc import Callable
from typing import Any

from djoser.serializers import UserCreateSerializer, UserSerializer
from rest_framework import serializers

from tillgate.api import fields
from tillgate.api.accounts import members
from tillgate.merchants.models import User
from tillgate.merchants.services.passwords import MOST, require_strong
from tillgate.merchants.services.sign_in import prove_factors
from tillgate.merchants.services.users import NewUser, change_user, sign_up

NAMES = ("first_name", "last_name")


class Text(serializers.CharField):
    """A text as a function of `fields` or `members` reads it."""

    def __init__(self, read: Callable[[str], str], **options: Any) -> None:
        super().__init__(**options)
        self._read = read

    def to_internal_value(self, data: object) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        try:
            return self._read(data)
        except fields.FieldError as error:
            raise serializers.ValidationError(error.message, code=error.code) from None


class Strict(serializers.ModelSerializer[User]):
    """Refuses by name what it does not know, and what cannot be written."""

    def to_internal_value(self, data: Any) -> Any:
        problems = fields.Problems()
        for name in data:
            if name not in self.fields:
                problems.add(name[:80], "There is no such member. Remove it.", "unknown_member")
            elif self.fields[name].read_only:
                problems.add(name, "This member cannot be changed. Remove it.", "read_only")
        problems.raise_if_any()
        return super().to_internal_value(data)


class SecondFactor(Text):
    """Told as whether there is one; sent as a code of it."""

    def to_representation(self, value: Any) -> Any:
        return bool(value)


class SignUp(Strict, UserCreateSerializer):  # type: ignore[misc]
    """A new account; the password is in no answer."""

    username = Text(members.username)
    email = Text(members.email)
    password = Text(str, max_length=MOST, trim_whitespace=False, write_only=True)
    first_name = Text(members.personal_name, required=False, allow_blank=True)
    last_name = Text(members.personal_name, required=False, allow_blank=True)

    class Meta(UserCreateSerializer.Meta):  # type: ignore[misc]
        fields = (*UserCreateSerializer.Meta.fields, *NAMES)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        names = {name: value for name, value in attrs.items() if name != "password"}
        require_strong(attrs["password"], User(**names), member="password")
        return attrs

    def create(self, validated_data: dict[str, Any]) -> User:
        return sign_up(NewUser(**validated_data))


class Account(Strict, UserSerializer):  # type: ignore[misc]
    """An account as its owner sees and changes it. Another e-mail needs the proof that it is really them:
    who reads its mails can choose a new password."""

    email = Text(members.email)
    first_name = Text(members.personal_name, allow_blank=True)
    last_name = Text(members.personal_name, allow_blank=True)
    email_confirmed = serializers.SerializerMethodField()
    current_password = Text(str, trim_whitespace=False, write_only=True)
    otp = SecondFactor(str, source="has_otp", allow_null=True)

    class Meta(UserSerializer.Meta):  # type: ignore[misc]
        fields = (*UserSerializer.Meta.fields, *NAMES, "email_confirmed", "current_password", "otp")

    def get_email_confirmed(self, user: User) -> bool:
        return user.confirmed_email is not None

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        password, otp = attrs.pop("current_password", None), attrs.pop("has_otp", None)
        user = self.instance
        assert isinstance(user, User), "nobody is made by this form"
        if attrs.get("email", user.email) != user.email:
            _prove(user, password, otp)
        return attrs

    def update(self, instance: User, validated_data: dict[str, Any]) -> User:
        return change_user(instance.pk, validated_data)


def _prove(user: User, password: str | None, otp: str | None) -> None:
    if password is None:
        problems = fields.Problems()
        message = "This member is required to change the e-mail. Send the password of the account."
        problems.add("current_password", message, "required")
        problems.raise_if_any()
    prove_factors(user, password or "", otp, member="current_password")
