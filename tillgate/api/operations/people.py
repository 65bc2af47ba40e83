"""Keys, staff, the second person and the trail."""

from tillgate.api.operations.operation import ACTED_ON, Operation

OPERATIONS = {
    "create_key": Operation(
        tag="keys",
        summary="Create a key",
        description="`secret` is shown in this answer and never again. A key makes no key that may do more "
        "than it may itself or lives longer, nor one of another mode; an owner makes any. A publishable key "
        "may stand in a page: it creates payments as a guest does, and nothing else.",
        request="KeyIn",
        resource="key",
        shape="KeyOut",
        success=(201,),
        refusals=(400, 413, 415),
    ),
    "list_keys": Operation(
        tag="keys",
        summary="List keys",
        description="Newest first, with those that have ended; to a key those of its own mode.",
        resource="keys",
        shape="KeyOut",
        many=True,
        paged=True,
        refusals=(400,),
        query="PageFilter",
    ),
    "get_key": Operation(tag="keys", summary="Get a key", resource="key", shape="KeyOut", refusals=(404,)),
    "rotate_key": Operation(
        tag="keys",
        summary="Replace a key",
        description="Makes one with the same scopes, mode, name and length of life; a key that replaces "
        "itself gets no later end. The old one is good beside it for `overlap_hours`.",
        request="KeyRotationIn",
        resource="key",
        shape="KeyOut",
        success=(201,),
        refusals=ACTED_ON,
    ),
    "revoke_key": Operation(
        tag="keys",
        summary="End a key at once",
        success=(204,),
        refusals=(404,),
    ),
    "add_staff": Operation(
        tag="staff",
        summary="Invite somebody to work here",
        description="Somebody who has an account, by username or by an e-mail that they have confirmed. They "
        "are `invited`, and may do nothing, until they accept. For owners who are signed in, as all of this "
        "group.",
        request="StaffIn",
        resource="staff",
        shape="StaffOut",
        success=(201,),
        refusals=(*ACTED_ON, 429),
    ),
    "list_staff": Operation(
        tag="staff",
        summary="List who works here",
        resource="staff",
        shape="StaffOut",
        many=True,
        paged=True,
        refusals=(400,),
        query="PageFilter",
    ),
    "get_staff": Operation(
        tag="staff", summary="Get what somebody is here", resource="staff", shape="StaffOut", refusals=(404,)
    ),
    "change_staff": Operation(
        tag="staff",
        summary="Give somebody another role",
        description="The business is never left without an owner.",
        request="RoleIn",
        resource="staff",
        shape="StaffOut",
        refusals=ACTED_ON,
    ),
    "remove_staff": Operation(
        tag="staff",
        summary="Let somebody work here no more",
        description="From their next request on. The business is never left without an owner.",
        success=(204,),
        refusals=(404, 409),
    ),
    "list_approvals": Operation(
        tag="approvals",
        summary="List refunds that wait for a second person",
        description="Newest first, with those that were decided about.",
        resource="approvals",
        shape="ApprovalOut",
        many=True,
        paged=True,
        refusals=(400,),
        query="ApprovalFilter",
    ),
    "get_approval": Operation(
        tag="approvals",
        summary="Get one of them",
        resource="approval",
        shape="ApprovalOut",
        refusals=(404,),
    ),
    "approve": Operation(
        tag="approvals",
        summary="Agree to a refund",
        description="Makes it, once. For an owner who is another person than the one who asked; the only "
        "owner of all may agree to their own, with their `password`, and `otp` where a second factor is on.",
        request="DecisionIn",
        resource="approval",
        shape="ApprovalOut",
        refusals=(*ACTED_ON, 429),
    ),
    "reject": Operation(
        tag="approvals",
        summary="Reject a refund",
        description="By the same people as may agree to it.",
        request="DecisionIn",
        resource="approval",
        shape="ApprovalOut",
        refusals=(*ACTED_ON, 429),
    ),
    "list_audit": Operation(
        tag="audit",
        summary="Who did what",
        description="Newest first. `data` holds no secret, and nothing personal of a customer. Lines are "
        "never changed or deleted: the database refuses it.",
        resource="entries",
        shape="AuditEntryOut",
        many=True,
        paged=True,
        refusals=(400,),
        query="AuditFilter",
    ),
}
