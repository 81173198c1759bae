"""The demo's scenes: a server starts, two turns on a thread, a document, a crash in the middle of a run."""

from time import monotonic

from rich.console import Console
from rich.table import Table

from runstead.cli.demo_documents import FILE_NAME, QUESTION, citations, reader_of_document
from runstead.cli.demo_server import DemoServer
from runstead.client import Client, RunStream, connect
from runstead.client.streams.text_deltas import TextDeltas
from runstead.wire.assistant import Assistant, AssistantRequest
from runstead.wire.control_characters import escape_control
from runstead.wire.error import BadRequest, RunsteadError
from runstead.wire.event import Event
from runstead.wire.message import Message, MessageRequest
from runstead.wire.run import Run, RunRequest, Usage
from runstead.wire.run_step import FunctionToolCall, MessageCreationDetails, RunStep, ToolCall
from runstead.wire.struct import SortOrder
from runstead.wire.thread import Thread, ThreadRequest

__all__ = ["DemoScenes", "get_weather"]

_PIECES_BEFORE_KILL = 8
_MAX_TOKENS = 256
"""Maximum tokens of an answer: the embedded model tends to be verbose."""


def get_weather(city: str) -> str:
    """Get the weather in a city.

    Args:
        city: The name of the city.

    """
    return f"In {city} it is sunny, 21 degrees, with a light wind from the west."


class DemoScenes:
    """Starts, kills and restarts the server, and shows on the console what a client sees."""

    def __init__(self, console: Console, server: DemoServer, model: str | None) -> None:
        self._console = console
        self._server = server
        self._model = model

    def play(self) -> None:
        """Play all scenes."""
        self._scene("A server starts on an empty folder")
        began = monotonic()
        self._server.start()
        with connect(self._server.url) as client:
            self._say(f"Listening on {self._server.url} after {monotonic() - began:.1f} s.")
            assistant = self._assistant(client)
            thread = client.create_thread()
            self._turn(client, thread, assistant, "What is the weather in Oslo?")
            self._turn(client, thread, assistant, "Thank you! Name three things to do on such a day.")
            self._document(client, assistant.model)
            self._crash(client, thread, assistant)

    def _assistant(self, client: Client) -> Assistant:
        model = self._model or client.models().data[0].id
        assistant = client.create_assistant(
            AssistantRequest(
                model=model, name="Demo", instructions="You are a friendly guide. Answer in short sentences."
            )
        )
        self._say(f"Created the assistant {assistant.id} with the model {model}. Its tool is a Python function.")
        return assistant

    def _turn(self, client: Client, thread: Thread, assistant: Assistant, text: str) -> None:
        """Stream the run that answers one user message, then show its steps."""
        self._scene(f"User: {text}")
        client.create_message(thread.id, MessageRequest(role="user", content=text))
        request = RunRequest(assistant_id=assistant.id, max_completion_tokens=_MAX_TOKENS)
        with client.drive_streaming(thread.id, request, [get_weather]) as stream:
            self._show(stream, TextDeltas())
        if stream.run is not None:
            self._steps(client, stream.run)

    def _document(self, client: Client, model: str) -> None:
        """Upload a document, ask about it, and show the citation with the text that it quotes."""
        self._scene(f"User: {QUESTION}")
        try:
            reader = reader_of_document(client, model)
            thread = client.create_thread(ThreadRequest(messages=[MessageRequest(role="user", content=QUESTION)]))
            request = RunRequest(assistant_id=reader.id, max_completion_tokens=_MAX_TOKENS)
            with client.create_streaming_run(thread.id, request) as stream:
                self._say(f"Uploaded {FILE_NAME}, which is indexed and can be searched.")
                self._show(stream, TextDeltas())
        except BadRequest as error:
            self._say(f"(This server cannot search files: {error.message})")
            return
        if stream.run is not None:
            for marker, text in citations(client, stream.run):
                self._say(f"\n{marker} cites {FILE_NAME}:\n{text}")
            self._steps(client, stream.run)

    def _crash(self, client: Client, thread: Thread, assistant: Assistant) -> None:
        """Kill the server in the middle of a run. The same stream continues after the restart."""
        text = "In two sentences: why does a lighthouse blink?"
        self._scene(f"User: {text}")
        client.create_message(thread.id, MessageRequest(role="user", content=text))
        request = RunRequest(assistant_id=assistant.id, max_completion_tokens=_MAX_TOKENS, tools=[])
        with client.create_streaming_run(thread.id, request) as stream:
            texts = TextDeltas()
            pieces = 0
            for event in stream:
                pieces += self._print(event, texts)
                if pieces == _PIECES_BEFORE_KILL:
                    break
            self._kill_and_start()
            self._show(stream, texts)
        if stream.run is not None:
            self._steps(client, stream.run)

    def _kill_and_start(self) -> None:
        killed = self._server.pid
        self._server.kill()
        self._say(f"\nkill -9 {killed}: the server is gone in the middle of the answer.")
        self._server.start()
        self._say(f"Restarted on the same folder, as process {self._server.pid}.")
        self._say("The run continues without a new request, and the client's stream reconnects.")

    def _show(self, stream: RunStream, texts: TextDeltas) -> None:
        for event in stream:
            self._print(event, texts)
        self._console.print()

    def _print(self, event: Event, texts: TextDeltas) -> int:
        """Print the text of an event; returns the number of its pieces of text."""
        pieces = list(texts.new_text(event))
        for piece in pieces:
            self._console.print(escape_control(piece, keep="\n\t"), end="", style="green", markup=False, soft_wrap=True)
        data = event.data
        if isinstance(data, Run) and data.required_action is not None:
            for call in data.required_action.submit_tool_outputs.tool_calls:
                self._say(f"The run asks for {call.function.name}({call.function.arguments})")
        elif isinstance(data, Message) and data.incomplete_details is not None:
            self._say(f"\n(This message is closed as incomplete, {data.incomplete_details.reason}.)")
        return len(pieces)

    def _steps(self, client: Client, run: Run) -> None:
        table = Table("step", "what", "status", "prompt", "answer", title=f"{run.id} is {run.status}")
        for column in table.columns:
            column.no_wrap = True
        for step in client.run_steps(run.thread_id, run.id, order=SortOrder.ASC):
            table.add_row(step.id, _description(step), step.status, *_tokens(step.usage))
        table.add_section()
        table.add_row("all steps", "", run.status, *_tokens(run.usage))
        self._console.print(table)
        if run.last_error is not None:
            raise RunsteadError(f"The model failed: {run.last_error.message}")

    def _scene(self, title: str) -> None:
        self._console.print()
        self._console.rule(title, align="left")

    def _say(self, text: str) -> None:
        self._console.print(escape_control(text, keep="\n\t"), markup=False, soft_wrap=True)


def _tokens(usage: Usage | None) -> tuple[str, str]:
    return ("", "") if usage is None else (str(usage.prompt_tokens), str(usage.completion_tokens))


def _description(step: RunStep) -> str:
    if isinstance(step.step_details, MessageCreationDetails):
        return "message"
    return ", ".join(map(_name, step.step_details.tool_calls))


def _name(call: ToolCall) -> str:
    return call.function.name if isinstance(call, FunctionToolCall) else str(call.__struct_config__.tag)
