//! Arithmetic.
//!
//! The grammar is that of school and of Python where they agree: `+ - * /`, `//` (whole division),
//! `^` or `**` (power, from the right, before a sign: `-2^2` is -4), brackets, and a few functions.
//! Results are exact while numerator and denominator fit into 128 bits.
//!
//! A percent sign means one of two things. Before an operand it is the remainder (`17 % 5`); anywhere
//! else it is "percent" (`15%`, `15% of 240`, `15% * 240`). A bare percentage that is added to or
//! subtracted from something else is taken of that: `200 + 10%` is 220, as people and search engines
//! have it; two percentages just add (`5% + 10%` is 0.15).
//!
//! The parser is our own because the expression crates under a permissive licence that are kept up
//! (`exmex` 0.21 foremost) bind signs before powers and powers from the left: `-2^2` is 4 there and
//! `2^3^2` is 64, silently.

use qianshou_agent::{Tool, ToolContext, ToolError, ToolOutput, ToolSpec};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::number::{Number, NumberError};

/// The longest expression, in bytes.
const MAX_LENGTH: usize = 2000;
/// The deepest nesting of brackets, signs and powers.
const MAX_DEPTH: usize = 100;

/// Evaluates an arithmetic expression.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct CalculatorArgs {
    /// The expression, for example (3 + 4) * 5
    pub expression: String,
}

/// Evaluates arithmetic: exact where possible, with percent, powers and brackets.
#[derive(Clone, Copy, Debug, Default)]
pub struct Calculator;

impl Tool for Calculator {
    type Args = CalculatorArgs;

    fn spec(&self) -> ToolSpec {
        ToolSpec::new::<CalculatorArgs>("calculator")
    }

    async fn call(&self, args: CalculatorArgs, _: &ToolContext) -> Result<ToolOutput, ToolError> {
        match evaluate(&args.expression) {
            Ok(number) => Ok(number.to_string().into()),
            Err(error @ CalculatorError::Number(_)) => Err(ToolError::new(error.to_string())),
            Err(error) => Err(ToolError::invalid_arguments(error.to_string())),
        }
    }
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum CalculatorError {
    #[error(transparent)]
    Number(#[from] NumberError),
    #[error("the expression is longer than {MAX_LENGTH} characters")]
    TooLong,
    #[error("the expression is nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    #[error("{text:?} at character {at} cannot be read; numbers, + - * / // ^ ** % ( ) and {FUNCTIONS} are known")]
    Unknown { text: String, at: usize },
    #[error("a number is missing at the end")]
    Ended,
    #[error("a number is missing before {text:?} at character {at}")]
    NoOperand { text: String, at: usize },
    #[error("an operator is missing before {text:?} at character {at}")]
    NoOperator { text: String, at: usize },
    #[error("the bracket at character {at} is never closed")]
    Unclosed { at: usize },
    #[error("the bracket at character {at} was never opened")]
    Unopened { at: usize },
    #[error("{name} needs its argument in brackets")]
    NoArgument { name: &'static str },
}

const FUNCTIONS: &str = "abs, ceil, cos, e, exp, floor, ln, pi, round, sin, sqrt, tan";

#[derive(Clone, Copy, Debug, PartialEq)]
enum Symbol {
    Number(Number),
    Function(&'static str),
    Plus,
    Minus,
    Times,
    Divide,
    WholeDivide,
    Power,
    Percent,
    Of,
    Open,
    Close,
}

#[derive(Clone, Copy, Debug)]
struct Token<'a> {
    symbol: Symbol,
    text: &'a str,
    /// Which character, the first being 1.
    at: usize,
}

fn tokens(expression: &str) -> Result<Vec<Token<'_>>, CalculatorError> {
    let mut tokens = Vec::new();
    let mut rest = expression;
    loop {
        rest = rest.trim_start();
        let Some(first) = rest.chars().next() else {
            return Ok(tokens);
        };
        let at = expression[..expression.len() - rest.len()].chars().count() + 1;
        let (symbol, length) = match first {
            '0'..='9' | '.' => number(rest),
            _ if first.is_alphabetic() => word(rest),
            _ => operator(rest),
        }
        .ok_or_else(|| CalculatorError::Unknown { text: rest.chars().take(10).collect(), at })?;
        let (text, after) = rest.split_at(length);
        tokens.push(Token { symbol, text, at });
        rest = after;
    }
}

fn operator(rest: &str) -> Option<(Symbol, usize)> {
    const OPERATORS: [(&str, Symbol); 15] = [
        ("**", Symbol::Power),
        ("//", Symbol::WholeDivide),
        ("+", Symbol::Plus),
        ("-", Symbol::Minus),
        ("−", Symbol::Minus),
        ("*", Symbol::Times),
        ("×", Symbol::Times),
        ("·", Symbol::Times),
        ("/", Symbol::Divide),
        ("÷", Symbol::Divide),
        ("^", Symbol::Power),
        ("%", Symbol::Percent),
        ("(", Symbol::Open),
        (")", Symbol::Close),
        ("（", Symbol::Open),
    ];
    let found = OPERATORS.iter().find(|(text, _)| rest.starts_with(text));
    let found = found.or_else(|| Some(&("）", Symbol::Close)).filter(|(text, _)| rest.starts_with(text)));
    found.map(|(text, symbol)| (*symbol, text.len()))
}

fn word(rest: &str) -> Option<(Symbol, usize)> {
    let length = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
    let symbol = match rest[..length].to_lowercase().as_str() {
        "of" => Symbol::Of,
        "x" => Symbol::Times,
        "pi" | "π" => Symbol::Number(Number::Float(std::f64::consts::PI)),
        "e" => Symbol::Number(Number::Float(std::f64::consts::E)),
        name => {
            let known = ["abs", "ceil", "cos", "exp", "floor", "ln", "round", "sin", "sqrt", "tan"];
            Symbol::Function(known.into_iter().find(|known| *known == name)?)
        }
    };
    Some((symbol, length))
}

/// A number: digits, with commas between groups of three, a point, an exponent.
fn number(rest: &str) -> Option<(Symbol, usize)> {
    let bytes = rest.as_bytes();
    let digits = |from: usize| bytes.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
    let mut length = digits(0);
    while length > 0 && bytes.get(length) == Some(&b',') && digits(length + 1) == 3 {
        length += 4;
    }
    if bytes.get(length) == Some(&b'.') {
        length += 1 + digits(length + 1);
    }
    if matches!(bytes.get(length), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
        let exponent = digits(length + 1 + sign);
        length += if exponent > 0 { 1 + sign + exponent } else { 0 };
    }
    let literal = rest[..length].replace(',', "");
    Some((Symbol::Number(Number::parse(&literal)?), length))
}

fn evaluate(expression: &str) -> Result<Number, CalculatorError> {
    if expression.len() > MAX_LENGTH {
        return Err(CalculatorError::TooLong);
    }
    let tokens = tokens(expression)?;
    let mut parser = Parser { tokens: &tokens, depth: 0 };
    let result = parser.sum()?;
    match parser.tokens.first() {
        None => Ok(result),
        Some(Token { symbol: Symbol::Close, at, .. }) => Err(CalculatorError::Unopened { at: *at }),
        Some(token) => Err(CalculatorError::NoOperator { text: token.text.to_owned(), at: token.at }),
    }
}

struct Parser<'a> {
    tokens: &'a [Token<'a>],
    depth: usize,
}

type Evaluated = Result<Number, CalculatorError>;

impl Parser<'_> {
    fn peek(&self) -> Option<Symbol> {
        self.tokens.first().map(|token| token.symbol)
    }

    fn skip(&mut self) {
        self.tokens = self.tokens.get(1..).unwrap_or_default();
    }

    fn deeper(&mut self, parse: fn(&mut Self) -> Evaluated) -> Evaluated {
        if self.depth == MAX_DEPTH {
            return Err(CalculatorError::TooDeep);
        }
        self.depth += 1;
        let result = parse(self);
        self.depth -= 1;
        result
    }

    fn sum(&mut self) -> Evaluated {
        let (mut left, mut left_is_percentage) = self.product()?;
        while let Some(operation @ (Symbol::Plus | Symbol::Minus)) = self.peek() {
            self.skip();
            let (mut right, right_is_percentage) = self.product()?;
            if right_is_percentage && !left_is_percentage {
                right = right.multiply(left)?;
            }
            left = if operation == Symbol::Plus { left.add(right)? } else { left.subtract(right)? };
            left_is_percentage &= right_is_percentage;
        }
        Ok(left)
    }

    /// A product, and whether it is nothing but a percentage.
    fn product(&mut self) -> Result<(Number, bool), CalculatorError> {
        let (mut left, mut is_percentage) = self.percentage()?;
        loop {
            let operation: fn(Number, Number) -> Result<Number, NumberError> = match self.peek() {
                Some(Symbol::Times | Symbol::Of) => Number::multiply,
                Some(Symbol::Divide) => Number::divide,
                Some(Symbol::WholeDivide) => |left, right| left.divide(right)?.floor(),
                // `percentage` has taken those that are not before an operand.
                Some(Symbol::Percent) => Number::modulo,
                _ => return Ok((left, is_percentage)),
            };
            self.skip();
            left = operation(left, self.percentage()?.0)?;
            is_percentage = false;
        }
    }

    fn percentage(&mut self) -> Result<(Number, bool), CalculatorError> {
        let mut value = self.signed()?;
        let mut is_percentage = false;
        while self.peek() == Some(Symbol::Percent) {
            let next = self.tokens.get(1).map(|token| token.symbol);
            if matches!(next, Some(Symbol::Number(_) | Symbol::Function(_) | Symbol::Open)) {
                break;
            }
            self.skip();
            value = value.divide(Number::HUNDRED)?;
            is_percentage = true;
        }
        Ok((value, is_percentage))
    }

    fn signed(&mut self) -> Evaluated {
        match self.peek() {
            Some(Symbol::Minus) => {
                self.skip();
                Ok(self.deeper(Self::signed)?.negate()?)
            }
            Some(Symbol::Plus) => {
                self.skip();
                self.deeper(Self::signed)
            }
            _ => self.power(),
        }
    }

    fn power(&mut self) -> Evaluated {
        let base = self.operand()?;
        if self.peek() != Some(Symbol::Power) {
            return Ok(base);
        }
        self.skip();
        Ok(base.power(self.deeper(Self::signed)?)?)
    }

    fn operand(&mut self) -> Evaluated {
        let Some(&token) = self.tokens.first() else {
            return Err(CalculatorError::Ended);
        };
        match token.symbol {
            Symbol::Number(number) => {
                self.skip();
                Ok(number)
            }
            Symbol::Open => {
                self.skip();
                let inside = self.deeper(Self::sum)?;
                match self.tokens.first() {
                    None => Err(CalculatorError::Unclosed { at: token.at }),
                    Some(Token { symbol: Symbol::Close, .. }) => {
                        self.skip();
                        Ok(inside)
                    }
                    Some(next) => Err(CalculatorError::NoOperator { text: next.text.to_owned(), at: next.at }),
                }
            }
            Symbol::Function(name) => {
                self.skip();
                if self.peek() != Some(Symbol::Open) {
                    return Err(CalculatorError::NoArgument { name });
                }
                Ok(apply(name, self.deeper(Self::operand)?)?)
            }
            _ => Err(CalculatorError::NoOperand { text: token.text.to_owned(), at: token.at }),
        }
    }
}

fn apply(name: &str, value: Number) -> Result<Number, NumberError> {
    match name {
        "abs" if value.to_f64() < 0.0 => value.negate(),
        "abs" => Ok(value),
        "ceil" => value.negate()?.floor()?.negate(),
        "floor" => value.floor(),
        "round" => value.round(),
        "sqrt" => value.square_root(),
        "cos" => Number::float(value.to_f64().cos()),
        "exp" => Number::float(value.to_f64().exp()),
        "ln" => Number::float(value.to_f64().ln()),
        "sin" => Number::float(value.to_f64().sin()),
        _ => Number::float(value.to_f64().tan()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(expression: &str) -> String {
        evaluate(expression).map_or_else(|error| error.to_string(), |number| number.to_string())
    }

    #[test]
    fn results_are_told_as_people_write_them() {
        let cases = [
            ("37 * 48 + 12", "1788"),
            ("(3 + 4) * 5", "35"),
            ("0.1+0.2", "0.3"),
            ("12.5 * 8", "100"),
            ("100/3", "33.3333333333333"),
            ("1/3*3", "1"),
            ("2/3", "0.666666666666667"),
            ("123456789*987654321", "121932631112635269"),
            ("12345678901234567890 + 1", "12345678901234567891"),
            ("123456789.123456 + 1", "123456790.123456"),
            ("10 ** 25", "10000000000000000000000000"),
            ("2^127", "1.70141183460469e38"),
            ("2^126", "85070591730234615865843651857942052864"),
            ("1/8", "0.125"),
            ("1e-9", "1e-9"),
            ("1.5e-12 * 2", "3e-12"),
            ("0.000001", "0.000001"),
            ("1e3", "1000"),
            ("1,234,567 + 1", "1234568"),
            ("3 × 4 ÷ 2 − 1", "5"),
            ("3 x 4", "12"),
            ("（1 + 2） * 3", "9"),
            ("-0", "0"),
            ("0 * -1.5", "0"),
        ];
        for (expression, expected) in cases {
            assert_eq!(told(expression), expected, "{expression}");
        }
    }

    #[test]
    fn operators_bind_as_in_python() {
        let cases = [
            ("-2^2", "-4"),
            ("2^3^2", "512"),
            ("2*-3^2", "-18"),
            ("2^-1", "0.5"),
            ("2 ** -2 ** 2", "0.0625"),
            ("--3", "3"),
            ("2 - -3", "5"),
            ("10 - 4 - 3", "3"),
            ("100 / 10 / 5", "2"),
            ("7 // 2", "3"),
            ("-7 // 2", "-4"),
            ("0^0", "1"),
            ("4^0.5", "2"),
            ("sqrt(16) + abs(-3)", "7"),
            ("sqrt(2)", "1.4142135623731"),
            ("round(2.5) + floor(-1.5) + ceil(1.2)", "3"),
            ("sqrt(3^2 + 4^2)^2", "25"),
            ("2 * pi", "6.28318530717959"),
            ("ln(e)", "1"),
        ];
        for (expression, expected) in cases {
            assert_eq!(told(expression), expected, "{expression}");
        }
    }

    #[test]
    fn a_percent_sign_is_a_remainder_before_an_operand_and_percent_elsewhere() {
        let cases = [
            ("15% of 240", "36"),
            ("15%", "0.15"),
            ("15% * 240", "36"),
            ("240 * 15%", "36"),
            ("240 * 15 / 100", "36"),
            ("(10 + 5)% of 240", "36"),
            ("17 % 5", "2"),
            ("-7 % 3", "2"),
            ("17 % (2 + 3)", "2"),
            ("5.5 % 2", "1.5"),
            ("200 + 10%", "220"),
            ("200 - 10%", "180"),
            ("200 - 10% + 5", "185"),
            ("200 + 10% of 50", "205"),
            ("200 + 10% * 50", "205"),
            ("5% + 10%", "0.15"),
            ("(10%)", "0.1"),
        ];
        for (expression, expected) in cases {
            assert_eq!(told(expression), expected, "{expression}");
        }
    }

    #[test]
    fn what_cannot_be_computed_is_told() {
        let cases = [
            ("1 / 0", "division by zero"),
            ("1 / (0.1 + 0.2 - 0.3)", "division by zero"),
            ("5 % 0", "division by zero"),
            ("0 ^ -1", "division by zero"),
            ("9 ^ 9 ^ 9", "the result is too large"),
            ("1e999", "\"1e999\" at character 1 cannot be read"),
            ("sqrt(-1)", "the result is not a real number"),
            ("ln(0)", "the result is too large"),
            ("", "a number is missing at the end"),
            ("3 +", "a number is missing at the end"),
            ("* 3", "a number is missing before \"*\" at character 1"),
            ("2 (3)", "an operator is missing before \"(\" at character 3"),
            ("(1 2)", "an operator is missing before \"2\" at character 4"),
            ("(1 + 2", "the bracket at character 1 is never closed"),
            ("1 + 2)", "the bracket at character 6 was never opened"),
            ("1 + é", "\"é\" at character 5 cannot be read"),
            ("import os", "\"import os\" at character 1 cannot be read"),
            ("sqrt 4", "sqrt needs its argument in brackets"),
            ("3 of", "a number is missing at the end"),
        ];
        for (expression, expected) in cases {
            assert!(told(expression).starts_with(expected), "{expression}: {}", told(expression));
        }
        assert_eq!(told(&"(".repeat(1500)), "the expression is nested deeper than 100 levels");
        assert_eq!(told(&"-".repeat(1500)), "the expression is nested deeper than 100 levels");
        assert_eq!(told(&"2^".repeat(900)), "the expression is nested deeper than 100 levels");
        assert_eq!(told(&"1+".repeat(1500)), "the expression is longer than 2000 characters");
    }

    #[tokio::test]
    async fn only_what_other_arguments_could_mend_is_a_repair() {
        let fault = |expression: &str| CalculatorArgs { expression: expression.to_owned() };
        let context = ToolContext::default();
        let division = Calculator.call(fault("1/0"), &context).await.err();
        assert!(division.is_some_and(|error| !error.is_invalid_arguments()));
        let syntax = Calculator.call(fault("1+"), &context).await.err();
        assert!(syntax.is_some_and(|error| error.is_invalid_arguments()));
    }

    proptest! {
        #[test]
        fn any_string_is_evaluated_or_refused(expression in "\\PC{0,80}") {
            let _ = told(&expression);
        }

        #[test]
        fn any_arithmetic_is_evaluated_or_refused(expression in "[0-9.e%()*/^+x, -]{0,80}|[0-9+*^%/()-]{0,200}") {
            let _ = told(&expression);
        }

        #[test]
        fn integers_are_exact(a in -1_000_000_000_000_i64..1_000_000_000_000, b in -1_000_000_i64..1_000_000) {
            prop_assert_eq!(told(&format!("{a} + ({b})")), (i128::from(a) + i128::from(b)).to_string());
            prop_assert_eq!(told(&format!("{a} * ({b})")), (i128::from(a) * i128::from(b)).to_string());
        }
    }
}
