"""The installation as a whole, for whoever runs it."""

from tillgate.api.operations.operation import Operation

OPERATIONS = {
    "examine_installation": Operation(
        tag="installation",
        summary="Examine the installation",
        description="What `./run doctor` says: database, worker, gateways, webhooks, mail, disk and what "
        "waits for a person, each with what to do. For owners and managers of the installation's own "
        "business, and its keys with the scope `admin`. It may take half a minute; one goes on at a time.",
        resource="doctor",
        shape="DoctorOut",
        refusals=(429,),
    ),
}
