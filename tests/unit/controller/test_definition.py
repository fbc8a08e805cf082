from npuserve.controller.answers import ApiError
from npuserve.controller.definition import FORGET_SECONDS, Definition

STATUS = {"plan": {"image": "x", "backend": "mindie"}, "autoscaling": {"replicas": 2}}


def refusal(*fields: str) -> ApiError:
    words = "; ".join(f".status.{name}: field not declared in schema" for name in fields)
    return ApiError(500, reason="", message=words)


def test_a_status_goes_out_whole_until_a_refusal_names_what_is_lacking() -> None:
    definition = Definition(lambda: 0.0)
    assert definition.fit(STATUS) == STATUS
    assert definition.learn(refusal("autoscaling"))
    assert definition.learn(refusal("plan.image"))
    assert definition.fit(STATUS) == {"plan": {"backend": "mindie"}}


def test_the_same_refusal_again_teaches_nothing_so_that_it_is_raised() -> None:
    definition = Definition(lambda: 0.0)
    assert definition.learn(refusal("autoscaling"))
    assert not definition.learn(refusal("autoscaling"))
    assert not definition.learn(ApiError(500, reason="", message="etcdserver: request timed out"))


def test_what_is_lacking_is_asked_again_after_a_while() -> None:
    clock = [0.0]
    definition = Definition(lambda: clock[0])
    definition.learn(refusal("autoscaling"))
    clock[0] = FORGET_SECONDS + 1
    assert definition.fit(STATUS) == STATUS


def test_a_refusal_for_a_field_is_not_asked_again_as_a_passing_trouble_is() -> None:
    assert not refusal("autoscaling").passing
    assert ApiError(500, reason="", message="etcdserver: request timed out").passing
    assert ApiError(429, reason="", message="storage is (re)initializing").passing
    assert not ApiError(404, reason="", message="not found").passing
