"""The eleven operations of Lightsail, its paginators and its shapes, with boto3."""

import datetime as dt

import boto3
from scenes import play, until

lightsail = boto3.client("lightsail")  # the environment says where, and with what credentials


def status_of(name):
    return lightsail.create_gui_session_access_details(resourceName=name)["status"]


def state_of(name):
    return lightsail.get_instance_state(instanceName=name)["state"]["name"]


def operation_status(identifier):
    return lightsail.get_operation(operationId=identifier)["operation"]["status"]


def test_a_gui_session_starts_and_has_two_urls():
    before = lightsail.create_gui_session_access_details(resourceName="desk")
    assert before["resourceName"] == "desk"
    assert before["status"] == "notStarted"
    assert "sessions" not in before
    lightsail.start_gui_session(resourceName="desk")
    percentages = []

    def read():
        details = lightsail.create_gui_session_access_details(resourceName="desk")
        percentages.append(details["percentageComplete"])
        return details["status"]

    statuses = until(read, "started")
    assert set(statuses[:-1]) == {"starting"}
    assert percentages == sorted(percentages)
    assert set(percentages) <= {5, 20, 80, 100}
    assert len(set(percentages)) > 2
    sessions = lightsail.create_gui_session_access_details(resourceName="desk")["sessions"]
    assert [session["isPrimary"] for session in sessions] == [True, False]
    assert [session["name"] for session in sessions] == ["JupyterLab", "Operating system"]
    endpoint = lightsail.meta.endpoint_url
    assert all(session["url"].startswith(f"{endpoint}/") for session in sessions)


def test_a_gui_session_stops():
    (operation,) = lightsail.stop_gui_session(resourceName="desk")["operations"]
    assert operation["operationType"] == "StopGUISession"
    assert until(lambda: status_of("desk"), "stopped")[0] == "stopping"
    details = lightsail.create_gui_session_access_details(resourceName="desk")
    assert "sessions" not in details
    assert "failureReason" not in details


def test_a_start_that_fails_says_why():
    (operation,) = lightsail.start_gui_session(resourceName="unlucky")["operations"]
    until(lambda: status_of("unlucky"), "failedStartingGUISession")
    details = lightsail.create_gui_session_access_details(resourceName="unlucky")
    assert details["failureReason"] == "No capacity for this bundle"
    failed = lightsail.get_operation(operationId=operation["id"])["operation"]
    assert (failed["status"], failed["isTerminal"]) == ("Failed", True)
    assert failed["errorCode"] == "NoCapacity"
    assert failed["errorDetails"] == "No capacity for this bundle"


def test_an_operation_goes_from_not_started_to_succeeded():
    (operation,) = lightsail.start_gui_session(resourceName="busy")["operations"]
    assert operation["status"] == "NotStarted"
    assert operation["isTerminal"] is False
    assert operation["resourceName"] == "busy"
    assert operation["resourceType"] == "Instance"
    assert operation["operationType"] == "StartGUISession"
    assert operation["location"]["regionName"] == lightsail.meta.region_name
    assert abs(operation["createdAt"] - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)
    assert "errorCode" not in operation
    statuses = until(lambda: operation_status(operation["id"]), "Succeeded")
    assert set(statuses) <= {"NotStarted", "Started", "Succeeded"}
    assert "Started" in statuses
    done = lightsail.get_operation(operationId=operation["id"])["operation"]
    assert done["isTerminal"] is True
    assert done["statusChangedAt"] > done["createdAt"]


def test_operations_of_a_resource_come_in_pages_oldest_first():
    for _ in range(2):
        lightsail.stop_gui_session(resourceName="busy")
        until(lambda: status_of("busy"), "stopped")
        lightsail.start_gui_session(resourceName="busy")
        until(lambda: status_of("busy"), "started")
    first = lightsail.get_operations_for_resource(resourceName="busy")
    token = first["nextPageToken"]
    second = lightsail.get_operations_for_resource(resourceName="busy", pageToken=token)
    last = lightsail.get_operations_for_resource(
        resourceName="busy", pageToken=second["nextPageToken"]
    )
    assert "nextPageToken" not in last
    operations = [each for page in (first, second, last) for each in page["operations"]]
    start, stop = "StartGUISession", "StopGUISession"
    assert [each["operationType"] for each in operations] == [start, stop, start, stop, start]
    created = [each["createdAt"] for each in operations]
    assert created == sorted(created)


def test_an_instance_is_switched_off_and_on():
    running = lightsail.get_instance(instanceName="powered")["instance"]
    (operation,) = lightsail.stop_instance(instanceName="powered", force=True)["operations"]
    assert operation["operationType"] == "StopInstance"
    assert until(lambda: state_of("powered"), "stopped")[0] == "stopping"
    stopped = lightsail.get_instance(instanceName="powered")["instance"]
    assert stopped["state"] == {"code": 80, "name": "stopped"}
    assert "publicIpAddress" not in stopped
    assert status_of("powered") == "stopped"
    (operation,) = lightsail.start_instance(instanceName="powered")["operations"]
    assert operation["operationType"] == "StartInstance"
    assert until(lambda: state_of("powered"), "running")[0] == "pending"
    again = lightsail.get_instance(instanceName="powered")["instance"]
    assert again["state"] == running["state"] == {"code": 16, "name": "running"}
    assert again["publicIpAddress"] != running["publicIpAddress"]
    assert until(lambda: operation_status(operation["id"]), "Succeeded")


def test_an_instance_has_the_types_of_the_model():
    instance = lightsail.get_instance(instanceName="desk")["instance"]
    assert isinstance(instance["createdAt"], dt.datetime)
    assert isinstance(instance["hardware"]["ramSizeInGb"], float)
    assert isinstance(instance["hardware"]["cpuCount"], int)
    assert instance["isStaticIp"] is False
    assert instance["arn"].startswith(f"arn:aws:lightsail:{lightsail.meta.region_name}:")
    assert {"key": "owner", "value": "Zoë"} in instance["tags"]
    new = lightsail.get_instance(instanceName="new")["instance"]
    assert new.get("tags", []) == []


def test_a_new_instance_sets_itself_up():
    assert set(until(lambda: status_of("new"), "notStarted")) <= {"settingUpInstance", "notStarted"}


def test_paginator_of_instances():
    pages = list(lightsail.get_paginator("get_instances").paginate())
    assert [len(page["instances"]) for page in pages] == [2, 2, 1]
    names = [instance["name"] for page in pages for instance in page["instances"]]
    assert names == ["desk", "unlucky", "powered", "busy", "new"]


def test_paginator_of_operations_begins_where_it_ended():
    paginator = lightsail.get_paginator("get_operations")
    everything = paginator.paginate().build_full_result()["operations"]
    assert len(everything) > 5
    created = [each["createdAt"] for each in everything]
    assert created == sorted(created)
    begun = paginator.paginate(PaginationConfig={"MaxItems": 3}).build_full_result()
    config = {"StartingToken": begun["NextToken"]}
    rest = paginator.paginate(PaginationConfig=config).build_full_result()
    both = begun["operations"] + rest["operations"]
    assert [each["id"] for each in both] == [each["id"] for each in everything]


def test_an_answer_has_the_metadata_of_aws():
    metadata = lightsail.get_instances()["ResponseMetadata"]
    assert metadata["HTTPStatusCode"] == 200
    assert len(metadata["RequestId"]) == 36
    assert metadata["HTTPHeaders"]["content-type"] == "application/x-amz-json-1.1"
    assert metadata["RetryAttempts"] == 0


if __name__ == "__main__":
    play(globals())
