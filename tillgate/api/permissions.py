"""Who may call what. A view that says nothing admits nobody."""

from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

if TYPE_CHECKING:
    from rest_framework.views import APIView  # It imports this module, by the settings.


class Nobody(BasePermission):
    """The default: a view has to say whom it admits."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return False


class Anyone(BasePermission):
    """No login, no key; listed by name in the tests."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return True


class HasKey(BasePermission):
    """A merchant's secret key."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return request.auth is not None


class MayCreate(BasePermission):
    """A key, or a guest where guests may create."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return request.auth is not None or settings.TILLGATE_GUEST_CREATE == "on"
