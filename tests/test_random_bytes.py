"""Random blocks for ids."""

from concurrent.futures import ThreadPoolExecutor

from runstead.random_bytes import BLOCK, RandomBlocks


def test_threads_never_share_a_block() -> None:
    blocks = RandomBlocks()
    with ThreadPoolExecutor(8) as pool:
        found = [
            block for part in pool.map(lambda _: [blocks.next() for _ in range(2_000)], range(8)) for block in part
        ]
    assert len(set(found)) == len(found) == 16_000
    assert {len(block) for block in found} == {BLOCK}
