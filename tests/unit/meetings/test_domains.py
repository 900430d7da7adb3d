import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.base.errors import DomainInvalid
from tidings.meetings.domains import email_domain, normalise_domain


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("acmecorp.com", "acmecorp.com"),
        ("  ACMEcorp.COM\n", "acmecorp.com"),
        ("https://www.acmecorp.com:8443/about?x=1#top", "acmecorp.com"),
        ("HTTP://user:secret@WWW.AcmeCorp.com", "acmecorp.com"),
        ("//acmecorp.com/path", "acmecorp.com"),
        ("acmecorp.com/", "acmecorp.com"),
        ("acmecorp.com?utm=1", "acmecorp.com"),
        ("acmecorp.com\\about", "acmecorp.com"),
        ("acmecorp.com:443", "acmecorp.com"),
        ("acmecorp.com:", "acmecorp.com"),
        ("acmecorp.com.", "acmecorp.com"),
        ("someone@acmecorp.com", "acmecorp.com"),
        ("mailto:someone@acmecorp.com", "acmecorp.com"),
        ("www.www.acmecorp.com", "acmecorp.com"),
        ("www.com", "www.com"),
        ("www2.acmecorp.com", "www2.acmecorp.com"),
        ("sub.acmecorp.co.uk", "sub.acmecorp.co.uk"),
        ("bücher.de", "xn--bcher-kva.de"),
        ("BÜCHER.de", "xn--bcher-kva.de"),
        ("bu\u0308cher.de", "xn--bcher-kva.de"),
        ("XN--BCHER-KVA.de", "xn--bcher-kva.de"),
        ("straße.de", "xn--strae-oqa.de"),
        ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
        ("ｗｗｗ.ａｃｍｅ.com", "acme.com"),
        ("3m.com", "3m.com"),
        ("r3---sn.example.com", "r3---sn.example.com"),
        ("a" * 63 + ".com", "a" * 63 + ".com"),
        (".".join(["a" * 61] * 4) + ".abcde", ".".join(["a" * 61] * 4) + ".abcde"),
    ],
)
def test_every_spelling_gives_the_bare_domain(text, domain):
    assert normalise_domain(text) == domain


@pytest.mark.parametrize(
    "text",
    [
        *("", "   ", ".", "..", "/", "@", "https://", "localhost", "com", "acme..com", ".acme.com"),
        *("acme.com..", "acme corp.com", "acme_corp.com", "-acme.com", "acme-.com", "acme,com"),
        *("127.0.0.1", "1.2.3", "http://[::1]/", "[2001:db8::1]:80", "::1", "acme.0x1f"),
        *("１２７.0.0.1", "acme.com:80a", "a" * 64 + ".com", "ü" * 60 + ".com", "xn--a.com"),
        *("xn--.com", "acme\x00.com", "acme.com\ud800", "acme\u3000.com", "a／b.com", "*.acme.com"),
        *("a." * 127 + "com", "ü." * 100 + "com", "https:acme.com", "Ann <ann@acme.com>"),
        *("\u200d.com", "xn--a\x80.com", "acme.com@"),
    ],
)
def test_what_no_company_could_have_is_refused_with_a_sentence(text):
    with pytest.raises(DomainInvalid) as caught:
        normalise_domain(text)
    assert caught.value.message.startswith("The domain ")
    assert caught.value.message.endswith("; send something like acmecorp.com.")
    assert caught.value.errors[0].field == "domain"


@pytest.mark.parametrize("text", ["a" * 5_000_000, "ü" * 300, "a." * 2_000_000, "@" * 4096])
def test_very_long_input_is_refused(text):
    with pytest.raises(DomainInvalid):
        normalise_domain(text)


hosts = st.lists(
    st.text(alphabet=string.ascii_letters + string.digits + "äßéñ例あ-", min_size=1, max_size=12),
    min_size=1,
    max_size=5,
).map(".".join)


@given(st.one_of(st.text(), hosts, st.text(alphabet="aW.w:/@ü。1[]-x\u200d", max_size=30)))
def test_normalising_is_idempotent_and_raises_one_error_only(text):
    try:
        domain = normalise_domain(text)
    except DomainInvalid:
        return
    assert normalise_domain(domain) == domain
    assert domain == domain.lower()
    assert domain.isascii()


@given(hosts, st.sampled_from(["", "https://", "http://user@"]), st.sampled_from(["", "/a", ":8"]))
def test_dressing_and_case_change_nothing(host, before, after):
    def attempt(text):
        try:
            return normalise_domain(text)
        except DomainInvalid:
            return None

    plain = attempt(host)
    assert attempt(before + host + after) == plain
    assert attempt(host.lower()) == plain


@pytest.mark.parametrize(
    ("email", "domain"),
    [
        ("Ann@Acme.COM", "acme.com"),
        ('"odd@local"@acme.com', "acme.com"),
        ("Ann <ann@acme.com>", "acme.com"),
        ("ann@bücher.de", "xn--bcher-kva.de"),
        ("ann", None),
        ("ann@", None),
        ("ann@localhost", None),
        ("", None),
    ],
)
def test_the_domain_of_an_email(email, domain):
    assert email_domain(email) == domain
