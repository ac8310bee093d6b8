//! Numbers that stay exact as long as they can: fractions of 128-bit integers, else floats.

use std::fmt;

/// Digits of a float that are told; fewer than it has, so that its rounding errors are not.
const DIGITS: usize = 15;

/// Why an operation has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NumberError {
    #[error("division by zero")]
    DivisionByZero,
    #[error("the result is too large")]
    TooLarge,
    #[error("the result is not a real number")]
    NotReal,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    /// In lowest terms; the second is positive.
    Fraction(i128, i128),
    /// Finite.
    Float(f64),
}

use Number::{Float, Fraction};

impl Number {
    pub(crate) const HUNDRED: Self = Fraction(100, 1);

    pub(crate) fn float(value: f64) -> Result<Self, NumberError> {
        match value {
            _ if value.is_nan() => Err(NumberError::NotReal),
            _ if value.is_infinite() => Err(NumberError::TooLarge),
            _ => Ok(Float(value)),
        }
    }

    /// A literal: digits with an optional point and exponent.
    pub(crate) fn parse(literal: &str) -> Option<Self> {
        let exact = || {
            let (mantissa, exponent) = literal.split_once(['e', 'E']).unwrap_or((literal, "0"));
            let (whole, decimals) = mantissa.split_once('.').unwrap_or((mantissa, ""));
            let digits: i128 = format!("{whole}{decimals}").parse().ok()?;
            let exponent = exponent.parse::<i32>().ok()?.checked_sub(i32::try_from(decimals.len()).ok()?)?;
            let power = 10_i128.checked_pow(exponent.unsigned_abs())?;
            if exponent < 0 { fraction(digits, power) } else { Some(Fraction(digits.checked_mul(power)?, 1)) }
        };
        exact().or_else(|| Self::float(literal.parse().ok()?).ok())
    }

    fn is_zero(self) -> bool {
        self.to_f64() == 0.0
    }

    #[expect(clippy::cast_precision_loss, reason = "floats are what is left when exactness is given up")]
    pub(crate) fn to_f64(self) -> f64 {
        match self {
            Fraction(over, under) => over as f64 / under as f64,
            Float(value) => value,
        }
    }

    fn fractions(self, other: Self) -> Option<(i128, i128, i128, i128)> {
        match (self, other) {
            (Fraction(a, b), Fraction(c, d)) => Some((a, b, c, d)),
            _ => None,
        }
    }

    /// The exact result where there is one, else that of floats.
    fn exact_or(exact: Option<Self>, float: f64) -> Result<Self, NumberError> {
        exact.map_or_else(|| Self::float(float), Ok)
    }

    pub(crate) fn negate(self) -> Result<Self, NumberError> {
        Fraction(0, 1).subtract(self)
    }

    pub(crate) fn add(self, other: Self) -> Result<Self, NumberError> {
        let exact = self
            .fractions(other)
            .and_then(|(a, b, c, d)| fraction(a.checked_mul(d)?.checked_add(c.checked_mul(b)?)?, b.checked_mul(d)?));
        Self::exact_or(exact, self.to_f64() + other.to_f64())
    }

    pub(crate) fn subtract(self, other: Self) -> Result<Self, NumberError> {
        let exact = self
            .fractions(other)
            .and_then(|(a, b, c, d)| fraction(a.checked_mul(d)?.checked_sub(c.checked_mul(b)?)?, b.checked_mul(d)?));
        Self::exact_or(exact, self.to_f64() - other.to_f64())
    }

    pub(crate) fn multiply(self, other: Self) -> Result<Self, NumberError> {
        let exact = self.fractions(other).and_then(|(a, b, c, d)| fraction(a.checked_mul(c)?, b.checked_mul(d)?));
        Self::exact_or(exact, self.to_f64() * other.to_f64())
    }

    pub(crate) fn divide(self, other: Self) -> Result<Self, NumberError> {
        if other.is_zero() {
            return Err(NumberError::DivisionByZero);
        }
        let exact = self.fractions(other).and_then(|(a, b, c, d)| fraction(a.checked_mul(d)?, b.checked_mul(c)?));
        Self::exact_or(exact, self.to_f64() / other.to_f64())
    }

    pub(crate) fn floor(self) -> Result<Self, NumberError> {
        match self {
            Fraction(over, under) => Ok(Fraction(over.div_euclid(under), 1)),
            Float(value) => Self::float(value.floor()),
        }
    }

    /// The remainder with the sign of the divisor, as Python has it.
    pub(crate) fn modulo(self, other: Self) -> Result<Self, NumberError> {
        self.subtract(other.multiply(self.divide(other)?.floor()?)?)
    }

    pub(crate) fn power(self, exponent: Self) -> Result<Self, NumberError> {
        if self.is_zero() && exponent.to_f64() < 0.0 {
            return Err(NumberError::DivisionByZero);
        }
        let exact = self.fractions(exponent).and_then(|(over, under, exponent, whole)| {
            let times = u32::try_from(exponent.unsigned_abs()).ok().filter(|_| whole == 1)?;
            let (over, under) = (over.checked_pow(times)?, under.checked_pow(times)?);
            if exponent < 0 { fraction(under, over) } else { fraction(over, under) }
        });
        Self::exact_or(exact, self.to_f64().powf(exponent.to_f64()))
    }

    /// Half away from zero.
    pub(crate) fn round(self) -> Result<Self, NumberError> {
        let half = Fraction(1, 2);
        if self.to_f64() < 0.0 { self.negate()?.add(half)?.floor()?.negate() } else { self.add(half)?.floor() }
    }

    /// Exact for squares.
    pub(crate) fn square_root(self) -> Result<Self, NumberError> {
        let root = |value: i128| {
            let root = value.checked_isqrt()?;
            (root * root == value).then_some(root)
        };
        let exact = match self {
            Fraction(over, under) => root(over).zip(root(under)).map(|(over, under)| Fraction(over, under)),
            Float(_) => None,
        };
        Self::exact_or(exact, self.to_f64().sqrt())
    }
}

/// A fraction in lowest terms.
fn fraction(over: i128, under: i128) -> Option<Number> {
    let (mut divisor, mut rest) = (over, under);
    while rest != 0 {
        (divisor, rest) = (rest, divisor.checked_rem(rest)?);
    }
    let divisor = if (divisor < 0) == (under < 0) { divisor } else { divisor.checked_neg()? };
    Some(Fraction(over.checked_div(divisor)?, under.checked_div(divisor)?))
}

/// Integers in full; everything else rounded, without zeros at the end; an exponent only where the
/// number would be unreadable without it.
impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Fraction(whole, 1) = self {
            return write!(formatter, "{whole}");
        }
        let scientific = format!("{:.*e}", DIGITS - 1, self.to_f64());
        let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        let exponent: i32 = exponent.parse().unwrap_or(0);
        let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
        let digits = mantissa.replace('.', "");
        let digits = digits.trim_end_matches('0');
        let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or(0));
        if digits.is_empty() {
            formatter.write_str("0")
        } else if (-7..0).contains(&exponent) {
            write!(formatter, "{sign}0.{}{digits}", zeros(-exponent - 1))
        } else if (0..21).contains(&exponent) {
            let point = usize::try_from(exponent).unwrap_or(0) + 1;
            match digits.split_at_checked(point) {
                Some((whole, "")) => write!(formatter, "{sign}{whole}"),
                Some((whole, decimals)) => write!(formatter, "{sign}{whole}.{decimals}"),
                None => write!(formatter, "{sign}{digits:0<point$}"),
            }
        } else {
            let (first, others) = digits.split_at(1);
            let point = if others.is_empty() { "" } else { "." };
            write!(formatter, "{sign}{first}{point}{others}e{exponent}")
        }
    }
}
