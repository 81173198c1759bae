"""A real server is killed: the next one delivers its pending webhooks."""

import asyncio
from pathlib import Path

import runstead
from runstead import AssistantRequest, MessageRequest, Run, RunRequest, ThreadRequest, WebhookRequest
from runstead.client import AsyncClient
from tests.support.program import Program
from tests.support.receiver import receiver
from tests.support.waiting import within


async def serve(folder: Path) -> Program:
    script = folder / "script.toml"
    script.write_text('[[answer]]\nsay = "Hello!"\n')
    arguments = ("serve", "--port", "0", "--data", str(folder / "data"), "--script", str(script))
    program = await asyncio.to_thread(lambda: Program(*arguments, allow_private_webhooks="true"))
    await asyncio.to_thread(program.ready)
    return program


async def ended(client: AsyncClient) -> Run:
    assistant = await client.create_assistant(AssistantRequest(model="m"))
    thread = await client.create_thread(ThreadRequest(messages=[MessageRequest(role="user", content="Hi")]))
    return await client.wait(await client.create_run(thread.id, RunRequest(assistant_id=assistant.id)))


async def test_pending_webhooks_are_delivered_after_a_kill_and_restart(tmp_path: Path) -> None:
    async with within(40), receiver() as there:
        first = await serve(tmp_path)
        async with runstead.connect_async(first.url) as client:
            webhook = await client.create_webhook(WebhookRequest(url=there.url))
            runs = [await ended(client) for _ in range(5)]
        first.close()  # killed: deliveries are due once a second, so the last ones are pending
        second = await serve(tmp_path)
        while {each.event["data"]["id"] for each in there.requests} != {run.id for run in runs}:
            await there.next(len(there.requests) + 1)
        async with runstead.connect_async(second.url) as client:
            replayed = await client.replay_webhook_delivery(webhook.id, there.requests[0].event["id"])
        before = len(there.requests)
        assert (await there.next(before + 1))[-1].event["id"] == replayed.id
        second.close()
