from django.urls import path

from tillgate.api import (
    approvals,
    disputes,
    docs,
    doctor,
    endpoints,
    events,
    gateway_accounts,
    gateways,
    keys,
    me,
    merchant,
    payment_methods,
    payments,
    refunds,
    staff,
    subscriptions,
    trail,
)
from tillgate.api.accounts import export, logins, otp, proof
from tillgate.api.pages import doctor_page, for_browsers

# What can be done with one subscription.
ACTIONS = {
    "pause": subscriptions.SubscriptionPause,
    "resume": subscriptions.SubscriptionResume,
    "cancel": subscriptions.SubscriptionCancel,
    "preview": subscriptions.SubscriptionPreview,
    "payments": subscriptions.SubscriptionPayments,
    "timeline": subscriptions.SubscriptionTimeline,
}
urlpatterns = [
    path("payments", payments.Payments.as_view(), name="payments"),
    path("payments/<str:reference>", payments.PaymentDetail.as_view(), name="payment"),
    path("payments/<str:reference>/attempts", payments.PaymentAttempts.as_view(), name="payment-attempts"),
    path("payments/<str:reference>/cancel", payments.PaymentCancel.as_view(), name="payment-cancel"),
    path("payments/<str:reference>/resolve", payments.PaymentResolve.as_view(), name="payment-resolve"),
    path("payments/<str:reference>/timeline", payments.PaymentTimeline.as_view(), name="payment-timeline"),
    path("payments/<str:reference>/refunds", refunds.PaymentRefunds.as_view(), name="payment-refunds"),
    path(
        "payments/<str:reference>/surplus/<str:surplus>/refund",
        refunds.SurplusRefund.as_view(),
        name="surplus-refund",
    ),
    path(
        "payments/<str:reference>/disputes/<str:dispute>/evidence",
        disputes.DisputeEvidence.as_view(),
        name="dispute-evidence",
    ),
    path("refunds/<str:reference>", refunds.RefundDetail.as_view(), name="refund"),
    path("subscriptions", subscriptions.Subscriptions.as_view(), name="subscriptions"),
    path("subscriptions/<str:reference>", subscriptions.SubscriptionDetail.as_view(), name="subscription"),
    *(
        path(f"subscriptions/<str:reference>/{word}", view.as_view(), name=f"subscription-{word}")
        for word, view in ACTIONS.items()
    ),
    path("payment-methods", payment_methods.PaymentMethods.as_view(), name="payment-methods"),
    path(
        "payment-methods/<str:reference>",
        payment_methods.PaymentMethodDetail.as_view(),
        name="payment-method",
    ),
    path("me", staff.Me.as_view(), name="me"),
    path("staff", staff.Staff.as_view(), name="staff"),
    path("staff/<str:reference>", staff.StaffDetail.as_view(), name="staff-detail"),
    path("keys", keys.Keys.as_view(), name="keys"),
    path("keys/<str:reference>", keys.KeyDetail.as_view(), name="key"),
    path("keys/<str:reference>/rotate", keys.KeyRotation.as_view(), name="key-rotate"),
    path("approvals", approvals.Approvals.as_view(), name="approvals"),
    path("approvals/<str:reference>", approvals.ApprovalDetail.as_view(), name="approval"),
    path("approvals/<str:reference>/approve", approvals.ApprovalApproval.as_view(), name="approval-approve"),
    path("approvals/<str:reference>/reject", approvals.ApprovalRejection.as_view(), name="approval-reject"),
    path("audit", trail.Audit.as_view(), name="audit"),
    path("me/logins", logins.MyLogins.as_view(), name="my-logins"),
    path("me/logins/<str:reference>", logins.MyLogin.as_view(), name="my-login"),
    path("me/memberships/<str:reference>", staff.MyMembership.as_view(), name="my-membership"),
    path(
        "me/memberships/<str:reference>/accept",
        staff.MyMembershipAccept.as_view(),
        name="my-membership-accept",
    ),
    path("me/otp", otp.MyOtp.as_view(), name="my-otp"),
    path("me/otp/confirm", otp.MyOtpConfirm.as_view(), name="my-otp-confirm"),
    path("me/proof", proof.MyProof.as_view(), name="my-proof"),
    path("me/export", export.MyExport.as_view(), name="my-export"),
    path("me/payments", me.MyPayments.as_view(), name="my-payments"),
    path("me/subscriptions", me.MySubscriptions.as_view(), name="my-subscriptions"),
    path(
        "me/subscriptions/<str:reference>/stop", me.MySubscriptionStop.as_view(), name="my-subscription-stop"
    ),
    path("webhook-endpoints", endpoints.Endpoints.as_view(), name="endpoints"),
    path("webhook-endpoints/<str:reference>", endpoints.EndpointDetail.as_view(), name="endpoint"),
    path(
        "webhook-endpoints/<str:reference>/rotate-secret",
        endpoints.EndpointSecret.as_view(),
        name="endpoint-secret",
    ),
    path("webhook-endpoints/<str:reference>/test", endpoints.EndpointTest.as_view(), name="endpoint-test"),
    path("events", events.Events.as_view(), name="events"),
    path("events/<str:reference>", events.EventDetail.as_view(), name="event"),
    path("events/<str:reference>/deliveries", events.EventDeliveries.as_view(), name="event-deliveries"),
    path("events/<str:reference>/redeliver", events.EventRedeliver.as_view(), name="event-redeliver"),
    path("gateways", gateways.Gateways.as_view(), name="gateways"),
    path("merchant", merchant.MerchantDetail.as_view(), name="merchant"),
    path("merchant/logo", merchant.MerchantLogo.as_view(), name="merchant-logo"),
    path("gateway-accounts", gateway_accounts.GatewayAccounts.as_view(), name="gateway-accounts"),
    path(
        "gateway-accounts/<str:reference>",
        gateway_accounts.GatewayAccountDetail.as_view(),
        name="gateway-account",
    ),
    path(
        "gateway-accounts/<str:reference>/secrets",
        gateway_accounts.GatewayAccountSecrets.as_view(),
        name="gateway-account-secrets",
    ),
    path(
        "gateway-accounts/<str:reference>/forget-former",
        gateway_accounts.GatewayAccountForget.as_view(),
        name="gateway-account-forget",
    ),
    path("doctor", for_browsers(doctor_page, doctor.Doctor.as_view()), name="doctor"),
    path("schema", docs.Schema.as_view(), name="schema"),
    path("docs", docs.SwaggerUi.as_view(url_name="schema"), name="docs"),
    path("redoc", docs.Redoc.as_view(url_name="schema"), name="redoc"),
]
