"""Any server of a cluster answers any call: runs are created on one, followed on another, executed by a worker."""

from collections.abc import Iterator

import pytest
from openai import OpenAI
from openai.types.beta import AssistantStreamEvent

from runstead import Status, connect
from runstead.client import Client
from runstead.wire.event import EventName
from runstead.wire.tool import ToolOutput
from tests.support.cluster import Cluster, cluster
from tests.support.waiting import PATIENCE
from tests.support.worlds import text_of

pytestmark = pytest.mark.filterwarnings("ignore:(The Assistants API is )?deprecated:DeprecationWarning")

SCRIPT = f"""
words_per_second = 50
[[answer]]
when = "story"
say = "Once upon a time {"there was a fox and " * 200} that was all."
[[answer]]
when = "weather"
call.weather = {{ city = "Oslo" }}
say = "They say: {{output}}"
[[answer]]
say = "The end."
"""
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("cluster"), apis=2, workers=2, script=SCRIPT) as here:
        yield here


@pytest.fixture
def official(here: Cluster) -> Iterator[OpenAI]:
    """The official client, on the first server."""
    with OpenAI(base_url=f"{here.urls[0]}/v1", api_key="any", max_retries=0, timeout=PATIENCE) as client:
        yield client


@pytest.fixture
def other(here: Cluster) -> Iterator[Client]:
    """Runstead's client, on the second server."""
    with connect(here.urls[1]) as client:
        yield client


def said(official: OpenAI, text: str) -> tuple[str, str]:
    """An assistant, and a thread with this user message."""
    assistant = official.beta.assistants.create(model="any", tools=[WEATHER])  # type: ignore[list-item]
    thread = official.beta.threads.create(messages=[{"role": "user", "content": text}])
    return assistant.id, thread.id


def test_a_run_is_streamed_on_one_server_and_cancelled_on_another(official: OpenAI, other: Client) -> None:
    assistant, thread = said(official, "Tell me a story.")
    stream = official.beta.threads.runs.create(thread, assistant_id=assistant, stream=True)
    run = next(event.data.id for event in stream if event.event == "thread.run.created")
    next(event for event in stream if event.event == "thread.message.delta")
    with other.run_events(thread, run) as followed:
        assert next(followed).event == EventName.RUN_CREATED
        next(event for event in followed if event.event == EventName.MESSAGE_DELTA)
        other.cancel(thread, run)
        assert [event.event for event in followed][-1] == EventName.RUN_CANCELLED
    assert [event.event for event in stream][-1] == "thread.run.cancelled"
    assert other.get_run(thread, run).status is Status.CANCELLED


def test_two_servers_stream_the_same_events(official: OpenAI, other: Client) -> None:
    assistant, thread = said(official, "Hi")
    stream = official.beta.threads.runs.create(thread, assistant_id=assistant, stream=True)
    events = list[AssistantStreamEvent](stream)
    run = next(event.data.id for event in events if event.event == "thread.run.created")
    names = [event.event for event in events if event.event not in {"thread.message.delta", "done"}]
    with other.run_events(thread, run) as followed:
        assert [event.event for event in followed if event.event != EventName.MESSAGE_DELTA] == names


def test_tool_outputs_may_go_to_another_server_than_the_run(official: OpenAI, other: Client) -> None:
    assistant, thread = said(official, "How is the weather?")
    run = official.beta.threads.runs.create_and_poll(thread_id=thread, assistant_id=assistant, poll_interval_ms=20)
    assert run.required_action
    [call] = run.required_action.submit_tool_outputs.tool_calls
    other.submit_tool_output(thread, run.id, [ToolOutput(tool_call_id=call.id, output="sunny")])
    done = official.beta.threads.runs.poll(run.id, thread_id=thread, poll_interval_ms=20)
    assert done.status == "completed"
    assert text_of(other.messages(thread, limit=1).data[0]) == "They say: sunny"
