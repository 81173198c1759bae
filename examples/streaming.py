"""The answer as it is written. Restart the server in the middle: the stream reconnects and continues.

Needs a server: `runstead serve`.
"""

import runstead
from runstead import AssistantRequest, MessageRequest, ThreadRequest, ThreadRunRequest

with runstead.connect() as client:
    assistant = client.create_assistant(AssistantRequest(model=client.models().data[0].id))
    question = MessageRequest(role="user", content="Tell me a very short story about a lighthouse.")
    request = ThreadRunRequest(assistant_id=assistant.id, thread=ThreadRequest(messages=[question]))

    with client.create_streaming_thread_run(request) as stream:
        for text in stream.text_deltas():
            print(text, end="", flush=True)
    print(f"\nThe run is {stream.run.status} and took {stream.run.usage.total_tokens} tokens.")
