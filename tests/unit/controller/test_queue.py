"""Which service is worked on next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from npuserve.controller.queue import FIRST_PAUSE, LONGEST_PAUSE, Lane, Queue


def run(scenario: Callable[[Queue], Awaitable[None]]) -> None:
    async def main() -> None:
        queue = Queue(jitter=lambda: 1.0)
        try:
            async with asyncio.timeout(5):
                await scenario(queue)
        finally:
            queue.close()

    asyncio.run(main())


async def idle(queue: Queue) -> bool:
    """Whether nothing can be taken now."""
    try:
        async with asyncio.timeout(0.02):
            await queue.take()
    except TimeoutError:
        return True
    return False


def test_a_key_added_twice_is_given_out_once() -> None:
    async def scenario(queue: Queue) -> None:
        queue.add("a", Lane.KNOWN)
        queue.add("a", Lane.KNOWN)
        assert await queue.take() == "a"
        queue.done("a")
        assert await idle(queue)

    run(scenario)


def test_a_key_in_work_is_never_given_out_again_before_its_work_is_done() -> None:
    async def scenario(queue: Queue) -> None:
        queue.add("a", Lane.KNOWN)
        assert await queue.take() == "a"
        queue.add("a", Lane.FRESH)
        assert await idle(queue)
        queue.done("a")
        assert await queue.take() == "a"

    run(scenario)


def test_a_new_service_overtakes_a_thousand_unchanged_ones() -> None:
    async def scenario(queue: Queue) -> None:
        for number in range(1000):
            queue.add(f"old-{number}", Lane.KNOWN)
        queue.add("new", Lane.FRESH)
        assert await queue.take() == "new"

    run(scenario)


def test_an_edited_service_moves_to_the_front_and_is_given_out_once() -> None:
    async def scenario(queue: Queue) -> None:
        for key in ("a", "b", "c"):
            queue.add(key, Lane.KNOWN)
        queue.add("c", Lane.FRESH)
        assert queue.depth() == {Lane.FRESH: 1, Lane.UNSAID: 0, Lane.KNOWN: 2}
        taken = [await queue.take() for _ in range(3)]
        assert taken == ["c", "a", "b"]
        for key in taken:
            queue.done(key)
        assert await idle(queue)

    run(scenario)


def test_of_many_new_services_neither_the_newest_nor_the_oldest_waits_for_all_others() -> None:
    async def scenario(queue: Queue) -> None:
        for number in range(1000):
            queue.add(f"{number}", Lane.FRESH)
        taken = [await queue.take() for _ in range(4)]
        assert {"999", "998"} <= set(taken)
        assert {"0", "1"} <= set(taken)

    run(scenario)


def test_words_wait_for_objects_and_come_before_unchanged_services() -> None:
    async def scenario(queue: Queue) -> None:
        queue.add("known", Lane.KNOWN)
        queue.add("unsaid", Lane.UNSAID)
        queue.add("fresh", Lane.FRESH)
        assert queue.pressed()
        assert [await queue.take() for _ in range(3)] == ["fresh", "unsaid", "known"]
        assert not queue.pressed()

    run(scenario)


def test_the_pause_after_failures_doubles_up_to_a_limit_and_success_forgets_it() -> None:
    async def scenario(queue: Queue) -> None:
        pauses = []
        for _ in range(12):
            queue.add("a", Lane.KNOWN)
            await queue.take()
            pauses.append(queue.failed("a"))
        assert pauses[:3] == [FIRST_PAUSE, FIRST_PAUSE * 2, FIRST_PAUSE * 4]
        assert pauses[-1] == LONGEST_PAUSE
        queue.add("a", Lane.KNOWN)
        await queue.take()
        queue.done("a")
        queue.add("a", Lane.KNOWN)
        await queue.take()
        assert queue.failed("a") == FIRST_PAUSE

    run(scenario)


def test_a_failed_key_comes_back_by_itself() -> None:
    async def scenario(queue: Queue) -> None:
        queue.add("a", Lane.FRESH)
        await queue.take()
        queue.later("a", 0.01)
        assert await queue.take() == "a"

    run(scenario)


def test_a_pausing_key_that_is_added_comes_once_and_not_again_at_the_end_of_its_pause() -> None:
    async def scenario(queue: Queue) -> None:
        queue.add("a", Lane.KNOWN)
        await queue.take()
        queue.later("a", 0.05)
        queue.add("a", Lane.FRESH)
        assert await queue.take() == "a"
        queue.done("a")
        await asyncio.sleep(0.08)
        assert await idle(queue)

    run(scenario)


def test_what_is_left_counts_waiting_keys_and_those_in_work() -> None:
    async def scenario(queue: Queue) -> None:
        queue.add("a", Lane.KNOWN)
        queue.add("b", Lane.FRESH)
        await queue.take()
        assert queue.left() == 2
        queue.done("b")
        assert queue.left() == 1

    run(scenario)
