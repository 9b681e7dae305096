r"""Formulas as readable text: common signs of LaTeX become the characters that they stand for; the rest stays."""

from __future__ import annotations

import re

MAX_FORMULA = 4_000
"""Characters of a formula that are made readable; a longer one is shown as written."""

_GREEK = (
    "alpha α beta β gamma γ delta δ epsilon ε varepsilon ε zeta ζ eta η theta θ iota ι kappa κ lambda λ mu μ nu ν xi ξ \
pi π rho ρ sigma σ tau τ upsilon υ phi φ varphi φ chi χ psi ψ omega ω Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma \
Σ Phi Φ Psi Ψ Omega Ω"
)
_SIGNS = "times × cdot · div ÷ pm ± mp ∓ leq ≤ le ≤ geq ≥ ge ≥ neq ≠ ne ≠ approx ≈ equiv ≡ sim ∼ propto ∝ infty ∞ \
partial ∂ nabla ∇ sum ∑ prod ∏ int ∫ oint ∮ in ∈ notin ∉ subset ⊂ subseteq ⊆ cup ∪ cap ∩ emptyset ∅ forall ∀ exists ∃ \
neg ¬ land ∧ lor ∨ to → rightarrow → leftarrow ← Rightarrow ⇒ Leftarrow ⇐ iff ⇔ Leftrightarrow ⇔ implies ⇒ mapsto ↦ \
ldots … dots … cdots ⋯ circ ∘ ast ∗ star ⋆ oplus ⊕ otimes ⊗ perp ⊥ angle ∠ degree ° prime ′ ll ≪ gg ≫ hbar ℏ ell ℓ \
langle ⟨ rangle ⟩ lfloor ⌊ rfloor ⌋ lceil ⌈ rceil ⌉ mid | quad \u2003 qquad \u2003 sin sin cos cos tan tan log log ln \
ln exp exp lim lim max max min min det det gcd gcd"
_words = (_GREEK + " " + _SIGNS).split(" ")
_NAMES = dict(zip(_words[::2], _words[1::2], strict=True))
_LIFTED = dict(zip("0123456789+-=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱ", strict=True))
_LOWERED = dict(zip("0123456789+-=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True))
_LETTERS = dict(zip("RNZQCPE", "ℝℕℤℚℂℙ𝔼", strict=True))
_INNER = r"\{([^{}]{0,200})\}"
_FRACTION = re.compile(r"\\[dt]?frac\s*" + _INNER + r"\s*" + _INNER)
_ROOT = re.compile(r"\\sqrt\s*" + _INNER)
_WORDS = re.compile(r"\\(?:text|mathrm|mathbf|mathit|mathsf|operatorname|boxed|textbf|mathcal)\s*" + _INNER)
_BLACKBOARD = re.compile(r"\\mathbb\s*\{([A-Z])\}")
_SCRIPT = re.compile(r"([\^_])(?:\{([^{}\\]{1,20})\}|([0-9A-Za-z+-]))")
_COMMAND = re.compile(r"\\([A-Za-z]+)")
_ROUNDS = 6


def readable(formula: str) -> str:
    r"""``formula`` (LaTeX) as text: ``\frac{a}{b} \leq x^2`` becomes "a/b ≤ x²". What is not known stays as it was."""
    if ("\\" not in formula and "^" not in formula and "_" not in formula) or len(formula) > MAX_FORMULA:
        return formula
    text = re.sub(r"\\(?:left|right|displaystyle|limits|bigl?|bigr|Bigl?|Bigr)(?![A-Za-z])\.?", "", formula)
    text = re.sub(r"\\[,;:! ]", " ", text)
    for _ in range(_ROUNDS):  # from the inside out
        before = text
        text = _BLACKBOARD.sub(lambda found: _LETTERS.get(found.group(1), found.group(1)), text)
        text = _WORDS.sub(r"\1", text)
        text = _SCRIPT.sub(_script, text)
        text = _FRACTION.sub(lambda found: f"{_grouped(found.group(1))}/{_grouped(found.group(2))}", text)
        text = _ROOT.sub(lambda found: f"√{_grouped(found.group(1))}", text)
        if text == before:
            break
    text = _COMMAND.sub(lambda found: _NAMES.get(found.group(1), found.group()), text)
    return re.sub(r"\\([{}%$&#_|])", r"\1", text)


def _grouped(text: str) -> str:
    text = text.strip()
    return text if re.fullmatch(r"\\?\w+|[\w²³]+", text) else f"({text})"


def _script(found: re.Match[str]) -> str:
    letters = found.group(2) or found.group(3)
    table = _LIFTED if found.group(1) == "^" else _LOWERED
    if all(letter in table for letter in letters):
        return "".join(table[letter] for letter in letters)
    return f"{found.group(1)}({letters})" if found.group(2) and len(letters) > 1 else f"{found.group(1)}{letters}"
