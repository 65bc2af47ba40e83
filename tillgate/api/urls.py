from django.urls import path

from tillgate.api import disputes, docs, gateways, payment_methods, payments, refunds, subscriptions

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
    path("gateways", gateways.Gateways.as_view(), name="gateways"),
    path("schema", docs.Schema.as_view(), name="schema"),
    path("docs", docs.SwaggerUi.as_view(url_name="schema"), name="docs"),
    path("redoc", docs.Redoc.as_view(url_name="schema"), name="redoc"),
]
