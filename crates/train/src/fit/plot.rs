//! The curve of a training as SVG.

use std::fmt::Write as _;

use super::Metrics;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 360.0;
const MARGIN: f64 = 44.0;

/// Loss over steps, smoothed, and the loss on the development data as points.
pub(super) fn svg(steps: &[Metrics]) -> String {
    let losses = smoothed(steps);
    let last = steps.last().map_or(1, |metrics| metrics.step).max(1) as f64;
    let development: Vec<(f64, f64)> =
        steps.iter().filter_map(|metrics| Some((metrics.step as f64, metrics.development_loss?))).collect();
    let top = losses.iter().chain(&development).map(|&(_, loss)| loss).fold(0.1, f64::max);
    let x = |step: f64| MARGIN + step / last * (WIDTH - 2.0 * MARGIN);
    let y = |loss: f64| HEIGHT - MARGIN - loss / top * (HEIGHT - 2.0 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n"
    );
    // Writing to a string cannot fail.
    for loss in ticks(top, 0.0) {
        let _ = writeln!(
            svg,
            "<line x1=\"{MARGIN}\" x2=\"{:.0}\" y1=\"{1:.1}\" y2=\"{1:.1}\" stroke=\"#ddd\"/>\
             <text x=\"{2:.0}\" y=\"{1:.1}\" text-anchor=\"end\">{loss:.2}</text>",
            WIDTH - MARGIN,
            y(loss),
            MARGIN - 6.0,
        );
    }
    for step in ticks(last, 1.0) {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.0}\" text-anchor=\"middle\">{step:.0}</text>",
            x(step),
            HEIGHT - MARGIN + 18.0,
        );
    }
    let points: String = losses.iter().map(|&(step, loss)| format!("{:.1},{:.1} ", x(step), y(loss))).collect();
    let _ = writeln!(svg, "<polyline points=\"{}\" fill=\"none\" stroke=\"#36c\"/>", points.trim_end());
    for &(step, loss) in &development {
        let _ = writeln!(svg, "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"#c33\"/>", x(step), y(loss));
    }
    let _ = writeln!(
        svg,
        "<text x=\"{:.0}\" y=\"20\" text-anchor=\"end\">loss a token: <tspan fill=\"#36c\">training</tspan>, \
         <tspan fill=\"#c33\">development</tspan></text>\n</svg>",
        WIDTH - MARGIN
    );
    svg
}

/// Round numbers from 0 to `top`, at most seven, and at least `least` apart.
fn ticks(top: f64, least: f64) -> impl Iterator<Item = f64> {
    let magnitude = 10_f64.powf((top / 6.0).log10().floor());
    let wide_enough = |step: &f64| top / step <= 6.0;
    let step = [1.0, 2.0, 5.0].map(|factor| factor * magnitude).into_iter().find(wide_enough);
    let step = step.unwrap_or(10.0 * magnitude).max(least);
    (0..=6).map(move |number| f64::from(number) * step).take_while(move |tick| *tick <= top)
}

/// The mean of each loss and those before it, weighted towards the latest.
fn smoothed(steps: &[Metrics]) -> Vec<(f64, f64)> {
    let mut mean = None;
    let smooth = |metrics: &Metrics| {
        let next = mean.map_or(metrics.loss, |mean: f64| 0.9 * mean + 0.1 * metrics.loss);
        mean = Some(next);
        (metrics.step as f64, next)
    };
    steps.iter().map(smooth).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(
            ticks(1.62, 0.0).map(|tick| format!("{tick:.2}")).collect::<Vec<_>>(),
            ["0.00", "0.50", "1.00", "1.50"]
        );
        assert_eq!(ticks(10.0, 1.0).collect::<Vec<_>>(), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(ticks(1.0, 1.0).collect::<Vec<_>>(), [0.0, 1.0]);
        assert_eq!(ticks(1000.0, 1.0).last(), Some(1000.0));
    }
}
