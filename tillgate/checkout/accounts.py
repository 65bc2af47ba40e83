"""The door that the links in account mails lead to. Looking changes nothing: mail scanners look, too."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from tillgate.checkout.states import Face
from tillgate.checkout.views import refuse
from tillgate.common.errors import InvalidRequest, PayError, TooMany
from tillgate.common.throttles import ATTEMPT, READ, admit
from tillgate.merchants.errors import EmailTaken, LinkNotGood
from tillgate.merchants.models import User
from tillgate.merchants.services.links import CONFIRMING, RESETTING, Kind, holder_of
from tillgate.merchants.services.merchants import default_merchant
from tillgate.merchants.services.passwords import reset_password
from tillgate.merchants.services.users import confirm_email

GONE = Face(
    tab="Not good any more",
    heading="This link is not good any more",
    sentence="It was used, or is older than a day, or your account has changed since. Ask for a new one "
    "where you have your account.",
    icon="cross",
)
TAKEN = Face(
    tab="Not possible",
    heading="Another account has this e-mail",
    sentence="It was confirmed there already. Sign in to that account, or give this one another e-mail.",
    tone="bad",
    icon="alert",
)


@dataclass(frozen=True, kw_only=True)
class Step:
    """A page: what it says and, while there is something to do, the button, and whether it asks for a
    password."""

    face: Face
    button: str = ""
    asks_password: bool = False
    account: str = ""
    email: str = ""
    alert: str = ""


# No cookie is read here: the token in the URL is the authority, so a forged form has nothing to borrow.
@method_decorator(csrf_exempt, name="dispatch")
class LinkView(View):
    """What both pages share: the throttle, and the same 404 for every link that is not good."""

    http_method_names = ["get", "head", "post"]
    kind: ClassVar[Kind]
    done: ClassVar[Face]

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        try:
            admit(request, ATTEMPT if request.method == "POST" else READ)
            return super().dispatch(request, *args, **kwargs)
        except TooMany as error:
            return refuse(request, "checkout/too_many.html", error)
        except LinkNotGood:
            return _show(request, Step(face=GONE), status=404)

    def get(self, request: HttpRequest, uid: str, token: str) -> HttpResponse:
        return _show(request, self.ask(holder_of(uid, token, self.kind)))

    def post(self, request: HttpRequest, uid: str, token: str) -> HttpResponse:
        user = holder_of(uid, token, self.kind)
        try:
            self.use(request, uid, token)
        except EmailTaken as error:
            return _show(request, Step(face=TAKEN), status=error.http_status)
        except InvalidRequest as error:
            return _show(request, self.ask(user, alert=_first(error)), status=error.http_status)
        return _show(request, Step(face=self.done))

    @abstractmethod
    def ask(self, user: User, *, alert: str = "") -> Step:
        """Return the page with the button."""

    @abstractmethod
    def use(self, request: HttpRequest, uid: str, token: str) -> None:
        """Do what the link is for."""


class ConfirmPage(LinkView):
    """/account/activate/{uid}/{token}"""

    kind = CONFIRMING
    done = Face(
        tab="Confirmed",
        heading="Your e-mail is confirmed",
        sentence="You can sign in with it from now on.",
        tone="good",
        icon="check",
    )

    def ask(self, user: User, *, alert: str = "") -> Step:
        face = Face(tab="Confirm", heading="Is this e-mail yours?", icon="clock")
        return Step(face=face, button="Yes, confirm it", account=user.username, email=user.email)

    def use(self, request: HttpRequest, uid: str, token: str) -> None:
        confirm_email(uid, token)


class ResetPage(LinkView):
    """/account/reset/{uid}/{token}"""

    kind = RESETTING
    done = Face(
        tab="Changed",
        heading="Your password is changed",
        sentence="Sign in with it. Everybody who was signed in to your account has to do so, too.",
        tone="good",
        icon="check",
    )

    def ask(self, user: User, *, alert: str = "") -> Step:
        face = Face(
            tab="New password", heading="Choose a new password", sentence="Twelve characters or more."
        )
        return Step(face=face, button="Change it", asks_password=True, account=user.username, alert=alert)

    def use(self, request: HttpRequest, uid: str, token: str) -> None:
        reset_password(uid, token, request.POST.get("new_password", ""))


def _show(request: HttpRequest, step: Step, *, status: int = 200) -> HttpResponse:
    page = {"step": step, "shop": default_merchant().name}
    return render(request, "checkout/account.html", page, status=status)


def _first(error: PayError) -> str:
    return next((message for messages in error.errors.values() for message in messages), error.message)
