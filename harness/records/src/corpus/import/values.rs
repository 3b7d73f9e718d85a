//! Dates and languages as lists write them.

use jiff::civil::Date;

/// The order of day and month in dates such as `7/1/2016`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum DayOrder {
    MonthFirst,
    DayFirst,
    Unknown,
}

/// Judges by the dates of the whole list: a part above 12 is a day.
pub(super) fn day_order<'a>(dates: impl Iterator<Item = &'a str>) -> DayOrder {
    let (mut month_first, mut day_first) = (false, false);
    for [first, second, _] in dates.filter_map(slashed) {
        month_first |= second > 12;
        day_first |= first > 12;
    }
    match (month_first, day_first) {
        (true, false) => DayOrder::MonthFirst,
        (false, true) => DayOrder::DayFirst,
        _ => DayOrder::Unknown,
    }
}

/// The day that a date names, padded (`2020-02-14`), and whether the date says nothing more than that day. `None` where
/// the day is not certain.
pub(super) fn day(date: &str, order: DayOrder) -> Option<(String, bool)> {
    if let Some([first, second, year]) = slashed(date) {
        return match order {
            _ if first == second => valid(year, first, second),
            DayOrder::MonthFirst => valid(year, first, second),
            DayOrder::DayFirst => valid(year, second, first),
            DayOrder::Unknown => None,
        }
        .map(|day| (day, true));
    }
    let (day, time) = date.split_once([' ', 'T']).unwrap_or((date, ""));
    let [year, month, day] = numbers(day, '-').or_else(|| numbers(day, '/')).filter(|[year, _, _]| *year > 999)?;
    valid(year, month, day).map(|day| (day, time.is_empty()))
}

fn slashed(date: &str) -> Option<[u16; 3]> {
    numbers(date, '/').filter(|[_, _, year]| *year > 999)
}

fn numbers(text: &str, separator: char) -> Option<[u16; 3]> {
    let mut parts = text.split(separator).map(|part| part.parse().ok());
    let three = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(three)
}

fn valid(year: u16, month: u16, day: u16) -> Option<String> {
    let date = Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    Some(date.to_string())
}

/// The BCP 47 tag of a language as lists name it; `None` if it is not known here.
pub(super) fn language_tag(name: &str) -> Option<&'static str> {
    Some(match name.trim().to_lowercase().as_str() {
        "simplified chinese" | "chinese (simplified)" | "zh-hans" | "zh-cn" => "zh-Hans",
        "traditional chinese" | "chinese (traditional)" | "zh-hant" | "zh-tw" => "zh-Hant",
        "chinese" | "zh" => "zh",
        "cantonese" | "yue" => "yue",
        "english" | "en" => "en",
        "tibetan" | "bo" => "bo",
        "uyghur" | "uighur" | "ug" => "ug",
        "mongolian" | "mn" => "mn",
        "kazakh" | "kk" => "kk",
        "hindi" | "hi" => "hi",
        "japanese" | "ja" => "ja",
        "korean" | "ko" => "ko",
        "vietnamese" | "vi" => "vi",
        "thai" | "th" => "th",
        "burmese" | "my" => "my",
        "indonesian" | "id" => "id",
        "russian" | "ru" => "ru",
        "persian" | "farsi" | "fa" => "fa",
        "arabic" | "ar" => "ar",
        "turkish" | "tr" => "tr",
        "french" | "fr" => "fr",
        "german" | "de" => "de",
        "spanish" | "es" => "es",
        "portuguese" | "pt" => "pt",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_real_lists() {
        let cases = [
            ("2016-08-30", Some(("2016-08-30", true))),
            ("2016-8-3", Some(("2016-08-03", true))),
            ("2020-02-14 9:02:36", Some(("2020-02-14", false))),
            ("2023-01-02T23:00:00Z", Some(("2023-01-02", false))),
            ("2016/7/1", Some(("2016-07-01", true))),
            ("7/1/2016", Some(("2016-07-01", true))),
            ("2/30/2016", None),
            ("07/2016", None),
            ("2016", None),
            ("", None),
            ("1/2/3/4", None),
            ("99999/1/1", None),
        ];
        for (listed, expected) in cases {
            assert_eq!(day(listed, DayOrder::MonthFirst), expected.map(|(day, whole)| (day.to_owned(), whole)), "{listed}");
        }
        assert_eq!(day("7/1/2016", DayOrder::DayFirst), Some(("2016-01-07".to_owned(), true)));
        assert_eq!(day("7/1/2016", DayOrder::Unknown), None);
        assert_eq!(day("7/7/2016", DayOrder::Unknown), Some(("2016-07-07".to_owned(), true)));
    }

    #[test]
    fn the_order_is_judged_by_the_whole_list() {
        assert_eq!(day_order(["7/1/2016", "1/25/2017"].into_iter()), DayOrder::MonthFirst);
        assert_eq!(day_order(["7/1/2016", "25/1/2017"].into_iter()), DayOrder::DayFirst);
        assert_eq!(day_order(["7/1/2016", "07/2016", ""].into_iter()), DayOrder::Unknown);
        assert_eq!(day_order(["25/1/2016", "1/25/2016"].into_iter()), DayOrder::Unknown);
    }
}
