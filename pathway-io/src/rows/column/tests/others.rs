//! `Uuid`, `Decimal` and `Bytes`: the promises of every buffer, the text forms, and the refused texts.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::{check, read, text_of};

#[cfg(feature = "uuid")]
mod of_uuid {
    use uuid::Uuid;

    use super::*;

    fn uuid() -> impl Strategy<Value = Uuid> {
        prop_oneof![any::<u128>().prop_map(Uuid::from_u128), Just(Uuid::nil()), Just(Uuid::max())]
    }

    hold_for! {
        uuids: uuid();
        nested: (option::of(uuid()), vec(uuid(), 0..3));
    }

    #[test]
    fn has_the_form_with_hyphens_and_reads_others() {
        let own = "67e55044-10b1-426f-9247-bb680e5fe0c8";
        for text in [
            own,
            "67E5504410B1426F9247BB680E5FE0C8",
            "{67e55044-10b1-426f-9247-bb680e5fe0c8}",
            "urn:uuid:67e55044-10b1-426f-9247-bb680e5fe0c8",
        ] {
            assert_eq!(read::<Uuid>(&format!("{text:?}")).map(text_of).as_deref(), Ok(own));
        }
        let fault = |text| read::<Uuid>(text).unwrap_err();
        assert_eq!(fault("\"67e55044\""), "expected a `Uuid`, found the string \"67e55044\"");
        assert_eq!(fault("7"), "expected a `Uuid`, found the number 7");
        assert_eq!(fault("null"), "expected a `Uuid`, found null, which only an `Option<Uuid>` takes");
    }
}

#[cfg(feature = "rust_decimal")]
mod of_rust_decimal {
    use rust_decimal::Decimal;

    use super::*;

    fn decimal() -> impl Strategy<Value = Decimal> {
        let largest = Decimal::MAX.mantissa();
        let digits = prop_oneof![-largest..=largest, -1000..1000_i128, Just(0), Just(largest), Just(-largest)];
        (digits, 0..=28_u32).prop_map(|(digits, scale)| Decimal::from_i128_with_scale(digits, scale))
    }

    /// Compares texts, because equality ignores zeros at the end.
    fn decimals(texts: &[(&str, &str)]) {
        for (text, own) in texts {
            assert_eq!(read::<Decimal>(text).map(text_of).as_deref(), Ok(*own), "{text}");
        }
    }

    hold_for! {
        decimals_of_all_scales: decimal();
        nested: (option::of(decimal()), vec(decimal(), 0..3));
    }

    proptest! {
        #[test]
        fn writes_what_rust_decimal_writes(decimal in decimal()) {
            prop_assert_eq!(text_of(decimal), decimal.to_string());
        }
    }

    #[test]
    fn keeps_every_digit() {
        decimals(&[
            ("\"1.10\"", "1.10"),
            ("\"1.1\"", "1.1"),
            ("\"-0.05\"", "-0.05"),
            ("\"0.00\"", "0.00"),
            ("\"-0\"", "0"),
            ("\"79228162514264337593543950335\"", "79228162514264337593543950335"),
            ("\"0.0000000000000000000000000001\"", "0.0000000000000000000000000001"),
            ("\"7.9228162514264337593543950335\"", "7.9228162514264337593543950335"),
            ("\"+5\"", "5"),
            ("\"005\"", "5"),
            ("5", "5"),
            ("-5", "-5"),
            ("18446744073709551615", "18446744073709551615"),
            // Integers to JSON Schema.
            ("1.0", "1"),
            ("-2e3", "-2000"),
        ]);
        let mut minus_zero = Decimal::ZERO;
        minus_zero.set_sign_negative(true);
        assert_eq!(text_of(minus_zero), "0");
        // One number, but two values.
        check(&[Decimal::new(10, 1), Decimal::new(100, 2)]);
    }

    #[test]
    fn refuses_numbers_that_would_lose_digits() {
        let fault = |text: &str| read::<Decimal>(text).unwrap_err();
        let wanted = "expected a `Decimal` in a string, found";
        assert_eq!(fault("1.1"), format!("{wanted} the number 1.1"));
        assert_eq!(fault("18446744073709551616"), format!("{wanted} the number 1.8446744073709552e19"));
        for text in ["", "1e5", "1_000", "1,5", "NaN", "1.1.1", "0x1", ".5", "5.", "-", "+-5", " 5"] {
            assert_eq!(fault(&format!("{text:?}")), format!("{wanted} the string {text:?}"));
        }
        for text in [
            "0.00000000000000000000000000001",
            "1.00000000000000000000000000000",
            "79228162514264337593543950336",
            "-99999999999999999999999999999",
            "7.92281625142643375935439503351",
        ] {
            let reason = "it has too many digits";
            assert_eq!(fault(&format!("{text:?}")), format!("{wanted} the string {text:?}: {reason}"));
        }
    }
}

#[cfg(feature = "bytes")]
mod of_bytes {
    use bytes::Bytes;

    use super::*;
    use crate::rows::column::KeyType;

    fn bytes() -> impl Strategy<Value = Bytes> {
        vec(any::<u8>(), 0..6).prop_map(Bytes::from)
    }

    hold_for! {
        byte_strings: bytes();
        nested: (option::of(bytes()), vec(bytes(), 0..3));
    }

    #[test]
    fn has_the_form_of_a_vec_of_bytes() {
        assert_eq!(text_of(Bytes::from_static(&[1, 2])), "AQI=");
        assert_eq!(read("\"AQI=\""), Ok(Bytes::from_static(&[1, 2])));
        assert_eq!(read::<Bytes>("5").unwrap_err(), "expected a `Vec<u8>` in base64, found the number 5");

        fn is_key<T: KeyType>() {}
        is_key::<Bytes>();
    }
}
