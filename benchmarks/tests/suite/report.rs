//! Tables, comparisons and pages.

use qianshou_bench::report::{Summary, compare, html, published, table};
use qianshou_bench::tool_selection::task;
use qianshou_bench::{Log, RunOptions, SolverSettings, run};
use qianshou_chat::ChatModel;
use serde_json::json;

use crate::support::{Instant, samples, weather, weather_model};

pub(crate) async fn logged(model: std::sync::Arc<dyn ChatModel>) -> Log {
    let mut lines: Vec<_> = (0..8).map(|index| weather(&format!("s{index}"), &format!("Town {index}"))).collect();
    lines.push(json!({"id": "n", "lang": "zh", "query": "为什么 <b>？", "tools": ["calculator"], "calls": [], "why": "cannot"}));
    let folder = tempfile::tempdir().unwrap();
    let task = task(samples(&lines), Vec::new(), SolverSettings::default(), None);
    assert!(run(&task, model, folder.path(), &RunOptions::default(), &|_| {}).await.unwrap().is_complete());
    Log::read(folder.path()).unwrap()
}

fn quiet() -> std::sync::Arc<dyn ChatModel> {
    Instant::model(|_| Ok("Final Answer: I </script> do not know.".to_owned()))
}

#[tokio::test]
async fn a_table_has_a_row_for_each_category_and_published_ones_are_marked() {
    let summary = Summary::of(&logged(weather_model()).await);
    let shown = table(&summary, &published("tool-selection"));
    // A row goes on below where the table is too wide.
    let row = |name: &str| shown.lines().filter(|line| line.trim_start().starts_with(name)).collect::<String>();
    assert!(row("en, one call").contains("100.0 (100.0–100.0)"), "{shown}");
    assert!(row("zh, cannot").contains("100.0 (100.0–100.0)"), "{shown}");
    assert!(row("Qwen-Chat 7B").contains("[published: Qwen technical report, Table 6]"), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 120), "{shown}");
}

#[tokio::test]
async fn a_comparison_names_what_got_worse() {
    let (before, after) = (logged(weather_model()).await, logged(quiet()).await);
    let comparison = compare(&before, &after).unwrap();
    let (measure, difference) = &comparison.measures[0];
    assert_eq!(measure.name, "upstream.selection");
    assert_eq!(difference.estimate.mean, -1.0);
    assert!(difference.p_value < 0.02, "{}", difference.p_value);
    assert_eq!(comparison.regressed.len(), 8);
    // The sample that needs no call got better.
    assert_eq!(comparison.improved.iter().map(|change| change.id.as_str()).collect::<Vec<_>>(), ["n"]);
    let same = compare(&before, &before).unwrap();
    assert!(same.regressed.is_empty() && same.measures[0].1.p_value == 1.0);
}

#[tokio::test]
async fn a_page_needs_nothing_else_and_nothing_ends_its_data() {
    let page = html(&logged(quiet()).await);
    assert!(!page.contains("http://") && !page.contains("https://"));
    // One element each for the index, the samples and the program.
    assert_eq!(page.matches("</script>").count(), 1 + 9 + 1);
    assert!(page.contains("\\u003c/script> do not know") && !page.contains("{title}"));
    assert!(page.contains("<svg") && page.contains("Tool selection"));
}
