//! Plots as inline SVG.

use super::page::escape;

const WIDTH: f64 = 320.0;
const LINE: f64 = 20.0;

/// Lying bars: a label, a length from 0 to 1, and what is written behind each.
pub(super) fn bars(title: &str, values: &[(String, f64, String)]) -> String {
    if values.is_empty() {
        return String::new();
    }
    let (left, right) = (130.0, 48.0);
    let mut svg = String::new();
    for (number, (label, length, text)) in values.iter().enumerate() {
        let y = number as f64 * LINE;
        let width = (length.clamp(0.0, 1.0) * (WIDTH - left - right)).max(1.0);
        let shown: String = label.chars().take(20).collect();
        svg += &format!(
            "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\">{}<title>{}</title></text>\
             <rect x=\"{left}\" y=\"{:.0}\" width=\"{width:.1}\" height=\"12\" rx=\"2\"/>\
             <text x=\"{:.1}\" y=\"{:.0}\">{}</text>",
            left - 6.0,
            y + 14.0,
            escape(&shown),
            escape(label),
            y + 4.0,
            left + width + 5.0,
            y + 14.0,
            escape(text)
        );
    }
    figure(title, values.len() as f64 * LINE, &svg)
}

/// How many values lie in each of up to twenty equal ranges.
pub(super) fn histogram(title: &str, values: &[f64]) -> String {
    const HEIGHT: f64 = 90.0;
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !least.is_finite() || !most.is_finite() {
        return String::new();
    }
    let bins = 20_usize;
    let width = ((most - least) / bins as f64).max(f64::MIN_POSITIVE);
    let mut counts = vec![0_usize; bins];
    for value in values {
        counts[(((value - least) / width) as usize).min(bins - 1)] += 1;
    }
    let highest = counts.iter().copied().max().unwrap_or(1).max(1) as f64;
    let step = WIDTH / bins as f64;
    let bar = |(number, count): (usize, &usize)| {
        let height = *count as f64 / highest * HEIGHT;
        let (x, y) = (number as f64 * step, HEIGHT - height);
        format!("<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{height:.1}\"/>", step - 1.0)
    };
    let bars: String = counts.iter().enumerate().map(bar).collect();
    let axis = format!(
        "<text x=\"0\" y=\"{0:.0}\">{1}</text><text x=\"{WIDTH}\" y=\"{0:.0}\" text-anchor=\"end\">{2}</text>",
        HEIGHT + 16.0,
        short(least),
        short(most)
    );
    figure(title, HEIGHT + LINE, &(bars + &axis))
}

fn short(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}

fn figure(title: &str, height: f64, svg: &str) -> String {
    let title = escape(title);
    format!(
        "<figure><figcaption>{title}</figcaption><svg viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\" \
         aria-label=\"{title}\">{svg}</svg></figure>"
    )
}
