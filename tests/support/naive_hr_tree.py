"""The HR-tree without a tree: each member's chunks in a list, searched from end to end."""


class NaiveHrTree:
    """Chunks are (depth, digest); prompts are lists of digests, place i with i + 1 blocks."""

    def __init__(self, member_limit, total_limit, cut):
        self.limits = (member_limit, total_limit)
        self.cut = cut
        self.held = {}
        self.doubted = set()

    @property
    def share(self):
        member, total = self.limits
        return min(member, total // max(1, len(self.held)))

    def add_member(self, member):
        self.held.setdefault(member, [])
        for chunks in self.held.values():
            del chunks[self.share :]

    def drop_member(self, member):
        self.held.pop(member, None)
        self.doubted.discard(member)

    def apply(self, member, added, removed):
        chunks = self.held[member]
        chunks[:] = [chunk for chunk in chunks if chunk not in removed]
        refused = 0
        for chunk in added:
            if chunk in chunks:
                continue
            if len(chunks) >= self.share:
                refused += 1
            else:
                chunks.append(chunk)
        return refused

    def replace(self, member, chunks):
        self.held[member] = []
        return self.apply(member, chunks, [])

    def lookup(self, digests):
        found = {}
        for member, chunks in self.held.items():
            base = 0
            while base + self.cut <= len(digests) and (base + self.cut, digests[base + self.cut - 1]) in chunks:
                base += self.cut
            within = range(base + 1, min(base + self.cut, len(digests) + 1))
            depth = max((one for one in within if (one, digests[one - 1]) in chunks), default=base)
            if depth and member not in self.doubted:
                found[member] = depth
        return found
