from npuserve.reconcile.undeclared import undeclared, without

REFUSAL = (
    "failed to create typed patch object (team-a/chat; npuserve.io/v1alpha1, Kind=InferenceService): errors:\n"
    "  .status.plan.image: field not declared in schema\n"
    "  .status.autoscaling: field not declared in schema\n"
    '  .status.conditions[type="Ready"].since: field not declared in schema'
)


def test_every_field_that_a_refusal_names_is_found():
    assert undeclared(REFUSAL) == {("plan", "image"), ("autoscaling",), ("conditions", "since")}


def test_a_single_field_is_named_on_the_same_line():
    assert undeclared(
        "failed to create typed patch object (a/b; x): .status.address: field not declared in schema"
    ) == {("address",)}


def test_other_refusals_name_no_field():
    assert undeclared("etcdserver: request timed out") == frozenset()
    assert undeclared(".spec.model: field not declared in schema") == frozenset()


def test_the_rest_of_the_status_stays_as_it_is():
    status = {
        "autoscaling": {"replicas": 3},
        "plan": {"image": "registry/x:1", "backend": "mindie", "env": [{"name": "A"}]},
        "conditions": [{"type": "Ready", "since": 1}, {"type": "Stalled"}],
    }
    assert without(status, undeclared(REFUSAL)) == {
        "plan": {"backend": "mindie", "env": [{"name": "A"}]},
        "conditions": [{"type": "Ready"}, {"type": "Stalled"}],
    }


def test_a_status_that_is_declared_whole_is_the_same():
    status = {"plan": {"backend": "mindie"}, "observedGeneration": 2}
    assert without(status, frozenset()) == status
