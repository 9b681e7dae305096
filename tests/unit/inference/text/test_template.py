"""Chat templates give what transformers makes of them, to the byte; hostile ones end soon and in words."""

import contextlib
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.inference.text.template import MAX_SOURCE, ChatTemplate, TemplateError
from tests.support.chat_templates import CONVERSATIONS, SHAPES, TOOLS

SPECIAL = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
TODAY = datetime(2026, 2, 3, 4, 5, 6)  # noqa: DTZ001 - a date alone


class Counter:
    """Computing time that passes a little whenever somebody looks at it."""

    def __init__(self, tick=1e-6):
        self.now, self.tick = 0.0, tick

    def __call__(self):
        self.now += self.tick
        return self.now


def template(source, tick=1e-6):
    return ChatTemplate(source, SPECIAL, lambda: TODAY, Counter(tick))


def rendered(source, messages=None, tools=None, generation=True, tick=1e-6, **options):
    messages = CONVERSATIONS["question"] if messages is None else messages
    return template(source, tick).render(messages, tools=tools, options=options, generation=generation)


class Today(datetime):
    @classmethod
    def now(cls, tz=None):
        return TODAY


@pytest.fixture(scope="module")
def reference():
    """transformers' rendering of a template; None where it raises."""
    from transformers.utils import chat_template_utils

    def render(source, messages, tools, generation, options):
        try:
            texts, _ = chat_template_utils.render_jinja_template(
                conversations=[messages],
                tools=tools,
                chat_template=source,
                add_generation_prompt=generation,
                **SPECIAL,
                **options,
            )
        except Exception:
            return None
        return texts[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chat_template_utils, "datetime", Today)
        yield render


OPTIONS = [{}, {"enable_thinking": False}, {"tools_in_user_message": False, "builtin_tools": ["a", "code_interpreter"]}]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", CONVERSATIONS)
def test_the_text_is_that_of_transformers(reference, shape, name):
    source, messages = SHAPES[shape], CONVERSATIONS[name]
    for tools in (None, TOOLS):
        for generation in (True, False):
            for options in OPTIONS:
                expected = reference(source, messages, tools, generation, options)
                try:
                    got = rendered(source, messages, tools, generation, **options)
                except TemplateError:
                    got = None
                assert got == expected


def test_the_comparison_compares(reference):
    """Most conversations are taken by most templates."""
    texts = [
        reference(source, messages, TOOLS, True, {})
        for source in SHAPES.values()
        for messages in CONVERSATIONS.values()
    ]
    assert sum(text is not None for text in texts) > 0.7 * len(texts)
    assert all(reference(source, CONVERSATIONS["system"], None, True, {}) for source in SHAPES.values())


def test_what_a_template_looks_at():
    assert "tools" in template(SHAPES["qwen3"]).variables
    assert "tools" not in template(SHAPES["phi4-mini"]).variables
    assert "tools" in template(SHAPES["phi4-mini"]).attributes


SHARED = (
    "{% set ns = namespace(a=[1], b=[1]) %}{% for i in range(DEPTH) %}"
    "{% set ns.a = [ns.a, ns.a] %}{% set ns.b = [ns.b, ns.b] %}{% endfor %}"
)
BIG = "{% set big = 'ab' * 4000000 %}"
LOOP = "{% for i in range(1000000) %}"
HOSTILE = {
    "endless loops": LOOP * 3 + "{% endfor %}" * 3,
    "a long range": "{{ range(1000000000000) | list }}",
    "a range beyond all numbers": "{{ range(10 ** 30) | list }}",
    "repetition": "{{ 'a' * 10000000000 }}",
    "repeated lists": "{{ [0] * 10000000000 }}",
    "doubling": "{% set ns = namespace(a='xx') %}{% for i in range(99) %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}",
    "adding": "{% set ns = namespace(a='xx') %}{% for i in range(99) %}{% set ns.a = ns.a + ns.a %}{% endfor %}",
    "adding lists": "{% set ns = namespace(a=[1]) %}{% for i in range(99) %}{% set ns.a = ns.a + ns.a %}{% endfor %}",
    "replace": "{{ ('a' * 100000).replace('a', 'b' * 100000) }}",
    "replace filter": "{{ ('a' * 100000) | replace('a', 'b' * 100000) }}",
    "join": "{{ ('a' * 100000).join(range(100000) | list) }}",
    "join filter": "{{ range(1000000) | join('a' * 100000) }}",
    "join of attributes": BIG + "{{ ([{'a': big}] * 10000) | map(attribute='a') | join }}",
    "join attribute": BIG + "{{ ([{'a': big}] * 10000) | join(attribute='a') }}",
    "shared lists": SHARED.replace("DEPTH", "99") + "{{ ns.a }}",
    "shared lists compared": SHARED.replace("DEPTH", "15") + "{{ [ns.a] * 100000 == [ns.b] * 100000 }}",
    "shared lists sought": SHARED.replace("DEPTH", "15") + "{{ ns.a in [ns.b] * 100000 }}",
    "shared lists counted": SHARED.replace("DEPTH", "15") + "{{ ([ns.a] * 100000).count(ns.b) }}",
    "shared lists sorted": SHARED.replace("DEPTH", "15") + "{{ ([ns.a, ns.b] * 100000) | sort | length }}",
    "shared lists selected": SHARED.replace("DEPTH", "15") + "{{ ([ns.a] * 100000) | select('eq', ns.b) | list }}",
    "deep tuples": "{% set ns = namespace(a=()) %}" + LOOP + "{% set ns.a = (ns.a,) %}{% endfor %}{{ {ns.a: 1} }}",
    "deep dicts": "{% set ns = namespace(a={}) %}" + LOOP + "{% set ns.a = dict(x=ns.a) %}{% endfor %}{{ ns.a }}",
    "tuples of a macro": "{% macro f() %}{{ varargs }}{% endmacro %}{{ f(1) }}",
    "recursion": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "recursive loop": "{% for m in messages recursive %}{{ loop(messages) }}{% endfor %}",
    "block in itself": "{% block a %}{{ self.a() }}{% endblock %}",
    "powers": "{% set ns = namespace(a=9) %}{% for i in range(99) %}{% set ns.a = ns.a ** 9 %}{% endfor %}",
    "products": "{% set ns = namespace(a=9) %}{% for i in range(99) %}{% set ns.a = ns.a * ns.a %}{% endfor %}",
    "bytes of a number": "{{ (5).to_bytes(1000000000) }}",
    "width": "{{ '%1000000000d' % 1 }}",
    "width from an argument": "{{ '%*d' % (1000000000, 1) }}",
    "width of a format": "{{ '{:1000000000d}'.format(1) }}",
    "width of a filter": "{{ '%1000000000d' | format(1) }}",
    "width of a date": "{{ strftime_now('%1000000000Y') }}",
    "zfill": "{{ 'a'.zfill(1000000000) }}",
    "center": "{{ 'a' | center(1000000000) }}",
    "rounding": "{{ 1.5 | round(100000000, 'ceil') }}",
    "batch": "{{ [1] | batch(1000000000, 1) | list }}",
    "indent": "{{ ('\n' * 1000000) | indent('x' * 1000000) }}",
    "indent of JSON": "{{ [1] | tojson(indent=1000000000) }}",
    "slices kept": BIG + "{% set ns = namespace(l=[]) %}" + LOOP + "{% set ns.l = ns.l + [big[1:]] %}{% endfor %}",
    "texts split": BIG + LOOP + "{% set x = big.split('b') %}{% endfor %}",
    "texts as lists": BIG + LOOP + "{% set x = big | list %}{% endfor %}",
    "texts upper": BIG + LOOP + "{% set x = big | upper %}{% endfor %}",
    "a long prompt": LOOP + "xxxxxxxxxxxxxxxxxxxxxxxxx{% endfor %}",
    "the class of a text": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "attr": "{{ '' | attr('__class__') }}",
    "a function's insides": "{{ raise_exception.__globals__.x.y }}",
    "a format's attributes": "{{ '{0.__class__.__mro__}'.format(1).x.y }}",
    "a type's methods": "{{ dict.fromkeys(range(10)) }}",
    "a name of Python": "{% set ns = namespace() %}{% set ns.__class__ = 1 %}",
    "a file": "{% include '/etc/passwd' %}",
    "an import": "{% import '/etc/passwd' as x %}",
    "the environment": "{{ self._TemplateReference__context.environment.x }}",
    "lipsum": "{{ lipsum(100000) }}",
    "deep brackets": "{{ " + "(" * 100_000 + "1" + ")" * 100_000 + " }}",
    "deep blocks": "{% if 1 %}" * 5000 + "{% endif %}" * 5000,
    "no template": "{% for message in %}",
    "unknown names": "{{ a.b.c }}",
    "a refusal": "{{ raise_exception('no') }}",
    "length": "x" * (MAX_SOURCE + 1),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_templates_end_in_words(name):
    with pytest.raises(TemplateError) as caught:
        rendered(HOSTILE[name])
    assert 1 < len(str(caught.value)) <= 400


def test_computing_time_is_bounded():
    """Steps that are slow one by one: a text is searched again and again."""
    with pytest.raises(TemplateError, match="seconds"):
        rendered("{% for i in range(1000) %}{% if 'abc' in 'ab' * 1000 %}{% endif %}{% endfor %}", tick=0.01)


def test_a_budget_is_for_one_rendering():
    one = template("{% for i in range(300000) %}{% endfor %}ok")
    assert [one.render([], tools=None, options={}, generation=True) for _ in range(8)] == ["ok"] * 8


def test_options_do_not_take_the_place_of_what_is_given():
    text = rendered(
        "{{ messages | length }}{{ add_generation_prompt }}{{ bos_token }}{{ x }}", messages=[1], bos_token="y", x=3
    )
    assert text == "1True<s>3"


def test_a_long_conversation_fits():
    messages = [message for _ in range(1000) for message in CONVERSATIONS["answered"]]
    messages = [{**message, "content": message["content"] * 20} for message in messages]
    for name in ("qwen2", "qwen3", "gemma", "mistral-named", "deepseek-r1"):
        assert len(rendered(SHAPES[name], messages[:-1], TOOLS * 8 if name != "gemma" else None)) > 500_000


# Templates put together from what is dangerous; whatever comes, they end, and in no other way than these two.
VALUES = st.sampled_from(
    "1 999999999 'x' big messages ns.a [ns.a,ns.a] (ns.a,) {'k':ns.a} range(9999) none".split()  # noqa: SIM905
)
ACTIONS = st.sampled_from(
    """({} * {})
    ({} ** {})
    ({} ~ {})
    ({} + {})
    ({} == {})
    ({} in {})
    ({}[1:] ~ {})
    ({} | replace('x', {}))
    ({} | join({}))
    ({} | indent({}))
    ({} | list | length + {})
    ({} | sort ~ {})
    ({} | tojson ~ {})
    ({} | string ~ {})
    ('%s' % {} ~ {})
    ({}.split({}))
    (big.count({}) + {})
    dict(a={}, b={})""".splitlines()
)
EXPRESSIONS = st.recursive(
    VALUES, lambda inner: st.builds(lambda form, a, b: form.format(a, b), ACTIONS, inner, inner), max_leaves=6
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(EXPRESSIONS, min_size=1, max_size=4), st.sampled_from([1, 3, 100, 100_000]))
def test_any_mixture_ends(expressions, turns):
    body = "".join("{% set ns.a = " + one + " %}" for one in expressions)
    source = "{% set big = 'x' * 20000 %}{% set ns = namespace(a=[1]) %}"
    source += "{% for i in range(" + str(turns) + ") %}" + body + "{% endfor %}{{ ns.a }}"
    with contextlib.suppress(TemplateError):
        assert isinstance(rendered(source, tick=5e-6), str)
