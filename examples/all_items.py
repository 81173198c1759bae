"""Pagination: one page of a list, or all items, fetched page by page.

Needs a server: `runstead serve`.
"""

import runstead
from runstead import MessageRequest, SortOrder, ThreadRequest

with runstead.connect() as client:
    messages = [MessageRequest(role="user", content=f"Message {number}") for number in range(1, 8)]
    thread = client.create_thread(ThreadRequest(messages=messages, metadata={"example": "all_items"}))

    newest = client.messages(thread.id, limit=3)
    print(f"The newest {len(newest)} messages; more: {newest.has_more}")

    for message in client.messages(thread.id, limit=3, order=SortOrder.ASC):
        print(message.content[0].text.value)

    client.delete_thread(thread.id)
