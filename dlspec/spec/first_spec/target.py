"""Which column of some data is most likely meant to be predicted: by its name, its place, and what its values are like.

A name says most: `survived` and `price` are results, `age` and `region` are what results are explained by. Where names
say nothing the values do: a response has many values or two, the levels of a designed experiment occur equally often,
and what is to be predicted depends on the others.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dlspec.data.datasets import Column
from dlspec.spec.first_spec.looked import LEVELS, Dependence, dependence, is_cut_of

if TYPE_CHECKING:
    from dlspec.spec.first_spec.looked import Looked

RESULTS = {
    10: "target label labels response resp outcome survived survival dependent y 정답 라벨 레이블 타깃 타겟 목표 "
    "목표값 종속변수 생존 생존여부",
    8: "class species price prices sale sales diagnosis churn churned exited attrition default defaulted "
    "approved sentiment spam fraud salary salaries wage wages 가격 매매가 거래금액 판매가 매출 매출액 "
    "판매량 판매금액 수요 수요량 이탈 이탈여부 합격여부 불량여부 진단 품종 종가 연봉 급여 임금 감정 스팸 "
    "부도 부도여부 사용량 발전량 전력량 소비량 수확량 거래가 월세 매매가격",
    6: "result results category quality rating ratings score scores grade close closing demand revenue "
    "profit yield strength mpg medv consumption vote voted winner deny denied disease infected dead died "
    "death deaths purchased clicked converted subscribed rent charges cost costs value accepted admitted "
    "fertility passed failed failure defect admit chd activity emotion lifespan 결과 등급 품질 점수 평점 "
    "성적 분류 종류 비용 구매 구매여부 합격 불량 사망 사망여부 승인 승인여부 강도 수익 이익 환자수 "
    "발생건수 대여량 승객수 방문자수 농도",
    2: "type infant no2 so2 co ozone pm10 pm25 permeability viscosity hardness toxicity solubility conductivity",
    4: "rate reaction accident accidents crime crimes skips breaks errors counts cnt count amount gain "
    "loss losses employed unemployed employment case status output expenditure spending savings volume "
    "choice decision performance satisfaction happiness popularity prestige reputation preference "
    "approval trust attitude investment biomass growth severity concentration readmitted hospitalized relapse "
    "recovered delay transported potability rings mode visits tip stroke mortality usage change "
    "participation participated infection complications readmission pollution emissions "
    "lfp los "
    "미세먼지 상태 건수 금액 총액 조회수",
}
"""How much a word in the name of a column speaks for it."""
EXPLAINING = {
    -8: "id ids uuid guid index idx no nr number rownames row unnamed subject patient person animal name surname "
    "firstname lastname ticket url email phone key 번호 순번 이름 성명 아이디 주소 전화번호 일련번호 코드",
    -5: "age sex gender year month day week weekday hour minute date datetime lat latitude lon lng long "
    "longitude zip postcode region country county state city province district street address site "
    "location block group fold batch treatment treat trt condition dose timestamp ts epoch unixtime race ethnicity "
    "education educ marital rank plot panel stratum trend sample family household x z population "
    "married single foreign immigrant black white hispanic male female urban rural smoker smoking union "
    "season quarter 나이 연령 "
    "성별 연도 년도 월 일 요일 시간 날짜 일자 지역 시도 시군구 위도 경도 교육 결혼여부 그룹 계절 분기",
    -2: "code time height width length size weight temperature temp distance area depth duration experience "
    "color colour income assets wealth capital gdp dist speed occupation religion "
    "키 몸무게 면적 거리 층 크기 길이 너비 직업 색상",
}
"""How much a word speaks against it."""
WORDS = {word: points for table in (RESULTS, EXPLAINING) for points, words in table.items() for word in words.split()}
CODES = (
    "class classes label labels species type category diagnosis activity cluster kind digit sentiment emotion "
    "라벨 레이블 분류 품종 종류 진단"
)
"""Whole numbers in a column of such a name stand for classes."""
IDENTITIES = ("id", "ids", "uuid", "guid", "index", "idx", "rownames", "번호", "순번", "일련번호")
"""Columns of such a name tell the rows apart."""
THINGS = ("id", "ids", "uuid", "guid", "번호")
"""Those of which the ids may come again."""
NEUTRAL = "target y outcome output response result 정답 결과 타깃 타겟"
"""Whole numbers in a column of such a name may stand for classes, if they are few and begin at 0 or 1."""
MADE_OF_OTHERS = re.compile(
    r"(?:est|estimated|pred|predicted|fit|fitted|lag|lagged|prev|previous|log|ln|mean|avg)[\W_]*(.+)"
)
"""Before the name of another column: what is estimated, of the time before, or computed from it."""
SHORTENED = 3
"""Letters of a shortened word, at least: `rte`."""
BEGUN = 5
"""Letters of the beginning of a word, at least: `partic`."""
AFTER = re.compile(r"(?:19|20)?\d\d")
"""What stands behind the name of something that was measured in several years."""
FEW_CODES = 10
LAST_CLASSES = 0.7
"""What it speaks more for the last column that it holds classes."""
LAST, FIRST, LAST_OF_UNNAMED, LAST_OF_NUMBERED = 1.0, 0.8, 0.3, 4.0
"""What the place at the end, or at the beginning, of the columns speaks for a column."""
BY_VALUES = 1.5
"""How much the values speak for a column, beside its name."""
TITLE = 2.5
"""What it speaks for a column that the file is called after it."""
CUT = 1.5
"""What it speaks for a column of two classes that it says on which side of a limit a number lies: `low` of `weight`."""
TOO_WELL = 0.98
"""Whatever is known that well from the other columns says what they say, and is hardly what they are to explain."""


@dataclass(frozen=True)
class Candidate:
    """A column that may be meant to be predicted.

    Args:
        why: what speaks for it, in words.
    """

    column: str
    points: float
    why: str


def likely_targets(
    columns: Sequence[Column], looked: Mapping[str, Looked], *, numbered: bool = False, called: str = ""
) -> list[Candidate]:
    """The columns that may be predicted, the likeliest first.

    Args:
        columns: those that can be predicted, in their order.
        looked: the values of all columns, as far as they are numbers or words; empty: names and places alone tell.
        numbered: whether the columns have no names in the file, but numbers; then the place says most.
        called: the name of the file, which is often that of its target: `house_prices`.
    """
    names = {column.name.lower() for column in columns}
    titles = {*map(_singular, _words(called))}
    cut = {two: other for two in looked for other in looked if is_cut_of(looked[two], looked[other])}
    dependent = dependence([each for name, each in looked.items() if not _is_made_of(name, names)])
    named = any(_says_something(column.name) for column in columns)
    first, last = (FIRST, LAST) if named else (0.0, LAST_OF_NUMBERED if numbered else LAST_OF_UNNAMED)
    sorts = {
        name: "words" if not each.is_number else "numbers" if len(each.counts) > 2 else "two"
        for name, each in looked.items()
        if not each.is_constant
    }
    alone = [
        name
        for name, sort in sorts.items()
        if list(sorts.values()).count(sort) == 1 and sort in ("numbers", "words" if len(sorts) > 3 else "")
    ]
    found = []
    for place, column in enumerate(columns):
        reasons: list[tuple[float, str]] = [(_of_name(column, names, looked.get(column.name)), "its name")]
        if {*map(_singular, _words(column.name))} & titles:
            reasons.append((TITLE, "the file is called so"))
        if place == len(columns) - 1:
            reasons.append((last + LAST_CLASSES * _has_classes(column, looked), "it is the last column"))
        elif place == 0:
            reasons.append((first, "it is the first column"))
        if column.name in looked:
            of_values = _of_values(looked[column.name], dependent.get(column.name, Dependence()), column.name in alone)
            reasons += [(BY_VALUES * points, why) for points, why in of_values]
            if column.name in cut:
                reasons.append((CUT, f"it tells whether {cut[column.name]} lies above a limit"))
        elif column.classes:
            reasons.append((1.0, f"it has {len(column.classes)} classes"))
        why = ", ".join(why for points, why in reasons if points > 0.2 and why)
        found.append(Candidate(column.name, sum(points for points, _ in reasons), why or "nothing speaks against it"))
    return sorted(found, key=lambda each: -each.points)


def are_codes(name: str, looked: Looked) -> bool:
    """Whether the whole numbers of a target stand for classes: by its name, or as they begin at 0 or 1 without gaps."""
    count = len(looked.counts)
    if not looked.is_whole or not 3 <= count <= LEVELS or min(looked.counts.values()) < 3:
        return False
    words = _words(name)
    if words and words[-1] in CODES.split():
        return True
    codes = {int(number) for number in looked.numbers if number is not None}
    without_gaps = min(codes) in (0, 1) and max(codes) - min(codes) == count - 1
    return bool(words) and words[-1] in NEUTRAL.split() and count <= FEW_CODES and without_gaps


def speaks_for(name: str) -> float:
    """What a name alone speaks for a column."""
    return _of_words(name.lower().strip(), _words(name))


def is_identity(name: str) -> bool:
    """Whether a name says that a column tells the rows apart: `id`, `customer_id`, `PassengerId`."""
    words = _words(name)
    return bool(words) and words[-1] in IDENTITIES


def names_things(name: str) -> bool:
    """Whether a name says that a column has ids, which may come again: `customer_id`, and not `heat_index`."""
    words = _words(name)
    return bool(words) and words[-1] in THINGS


def _words(name: str) -> list[str]:
    """The words of a name, lower case: `SalePrice`, `sale_price` and `sale.price` have the same."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+", name)
    return [part.lower() for part in parts]


def _singular(word: str) -> str:
    """`prices` and `price`, `salaries` and `salary` are the same word."""
    return re.sub(r"ies$", "y", word) if word.endswith("ies") else re.sub(r"(?<=[^s\W])s$", "", word)


def _says_something(name: str) -> bool:
    """Whether a name is more than a letter or two and a number: `V1`, `x12` and `column_3` say nothing."""
    return not re.fullmatch(r"(?i)(v|x|c|f|col|column|var|feature|unnamed:?|attr|attribute)?[\s_.:]*\d+", name)


def _has_classes(column: Column, looked: Mapping[str, Looked]) -> bool:
    own = looked.get(column.name)
    return 2 <= (len(column.classes) if own is None else len(own.counts)) <= (LEVELS if column.classes else 2)


def _is_made_of(name: str, names: Collection[str]) -> bool:
    """Whether a name says that a column is made from another one of these: `log_price`, `estperf`."""
    made = MADE_OF_OTHERS.fullmatch(name.lower().strip())
    return made is not None and made[1] in names


def _of_name(column: Column, names: Collection[str], looked: Looked | None) -> float:
    """What its name speaks for a column: whole names count in full, words of one less, the last of them more."""
    whole = column.name.lower().strip()
    if _is_made_of(whole, names):
        return float(WORDS["id"])
    stem = whole.rstrip("0123456789 _.")
    if stem != whole and stem not in ("y", "target"):
        kind = [name for name in names if stem == name.rstrip("0123456789 _.")]
        years = [name[len(stem) :].strip(" _.") for name in kind]
        if len(kind) > 1 and _says_something(column.name):
            latest = len(kind) > 2 and whole == max(kind) and all(map(AFTER.fullmatch, years))
            return float(WORDS["type"] if latest else WORDS["x"])  # one of several of its kind
    if whole == "y" and "x" in names and ("z" in names or len(names) > 3):
        return float(WORDS["x"])  # one of several coordinates
    words = _words(column.name)
    points = _of_words(whole, words)
    if looked is not None and points > 0 and words and words[-1] in CODES.split():
        if looked.is_number and len(looked.counts) > LEVELS:
            return -points / 2  # numbers of classes in a school, and the like
        return (
            points / 2 if looked.is_even and points <= 8 else points
        )  # the groups of an experiment have names like classes
    two = looked is not None and len(looked.counts) == 2
    return 0.0 if two and -2 <= points < 0 else points  # the name of a quantity, and classes of it


def _of_words(whole: str, words: Sequence[str]) -> float:
    """What the words of a name speak for it, whatever its values are."""
    if whole in WORDS:
        return float(WORDS[whole])
    if len(words) == 1 and words[0] in WORDS:
        return 0.8 * WORDS[words[0]]
    points = [0.7 * WORDS.get(word, 0) for word in words]
    if any(points):
        most, least = max([0.0, *points]), min([0.0, *points])
        return most + least * (0.3 if most == points[0] else 1.0)  # `default_next_month` is no month
    ends = (each for word, each in WORDS.items() if len(word) > 4 and word not in CODES and whole.endswith(word))
    return max((0.5 * each for each in ends), default=0.0) or 0.6 * _of_shortened(whole)


def _of_shortened(whole: str) -> float:
    """What one or two shortened words speak for a name: `crmrte` is a crime rate, `partic` a participation."""
    if not re.fullmatch(f"[a-z]{{{SHORTENED},}}", whole):
        return 0.0
    begun = {points for word, points in WORDS.items() if len(whole) >= BEGUN and word.startswith(whole)}
    if begun:
        return float(max(begun)) if min(begun) > 0 else float(min(begun)) if max(begun) < 0 else 0.0
    for end in range(len(whole), SHORTENED - 1, -1):
        first = _without_vowels(whole[:end])
        rest = _without_vowels(whole[end:]) if end < len(whole) else first
        if first and rest:
            return float(max(first, rest, key=abs))
    return 0.0


def _without_vowels(short: str) -> int:
    """The points of a word of which all consonants, and not all vowels between them, are left; 0: it is of none."""
    if len(short) < SHORTENED:
        return 0
    pattern = re.compile(short[0] + "".join(f"[aeiou]*{letter}" for letter in short[1:]) + "[aeiou]*")
    found = (points for word, points in WORDS.items() if not word.startswith(short) and pattern.fullmatch(word))
    return max(found, key=abs, default=0)


def _of_values(looked: Looked, dependent: Dependence, alone: bool) -> list[tuple[float, str]]:
    """What the values of a column speak for it, in parts.

    Args:
        alone: whether it alone holds numbers, or words.
    """
    count = len(looked.counts)
    if count < 2:
        return [(-10.0, "")]
    said = dependent.said if dependent.said <= TOO_WELL else TOO_WELL / 2
    found = [(2 * dependent.direct, "it depends on most of the others" if dependent.direct > 0.5 else "")]
    if looked.is_even:
        found.append((-0.5, ""))
    if looked.is_number and count > 2:
        spread = min(1.0, 2 * looked.distinct) ** 0.5
        found += [(0.3 * said, ""), (0.8 * spread, "it has many values" if spread > 0.5 else "")]
        return [*found, (1.0 * alone, "it alone holds numbers")]
    kind = "it has two classes" if count == 2 else f"it has {count} classes"
    found.append(((0.5 if count == 2 else 0.0) - (count > LEVELS), kind))
    return [*found, (said**0.5, ""), (2.0 * (alone and dependent.said > 0.1), "it alone holds words")]
