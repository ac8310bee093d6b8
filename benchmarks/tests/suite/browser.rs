//! The page in a real browser: Debian's `chromium`, without a window.

use std::process::Command;
use std::{env, fs};

use qianshou_agent::{Artifact, Record};
use qianshou_bench::report::html;
use qianshou_bench::{Log, Solution};

use crate::report::logged;
use crate::support::weather_model;

/// What a reader does: searches, opens a sample, looks at its figure. What was seen stands in the title.
const READER: &str = r#"<script>
const seen = [];
const rows = () => document.querySelectorAll("tr.row").length;
seen.push(rows());
const search = document.getElementById("search");
search.value = "Town 3";
search.dispatchEvent(new Event("input"));
seen.push(rows());
document.querySelector("tr.row").click();
seen.push(document.querySelectorAll(".detail h3").length > 3);
const image = document.querySelector(".detail img");
const tell = () => { seen.push(image.naturalWidth); document.title = "seen " + seen.join(" "); };
if (image.complete) tell(); else image.addEventListener("load", tell);
</script>"#;

/// A figure of one pixel.
const PIXEL: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82";

fn with_figures(mut log: Log) -> Log {
    for record in &mut log.samples {
        let Solution::Run(run) = &mut record.solution else { continue };
        for timed in &mut run.records {
            if let Record::Step(step) = &mut timed.record {
                let observed = step.outcome.calls.iter_mut().filter_map(|call| call.observation.as_mut());
                let image = || Artifact::Image { media_type: "image/png".to_owned(), bytes: PIXEL.to_vec() };
                observed.for_each(|observation| observation.artifacts.push(image()));
            }
        }
    }
    log
}

#[tokio::test]
#[ignore = "needs chromium"]
async fn samples_are_found_and_opened_in_a_browser() {
    let page = html(&with_figures(logged(weather_model()).await));
    let folder = tempfile::tempdir().unwrap();
    let path = env::var_os("QIANSHOU_PAGE").map_or(folder.path().join("report.html"), Into::into);
    fs::write(&path, page.replace("</body>", &format!("{READER}</body>"))).unwrap();
    let output = Command::new("chromium")
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--enable-logging=stderr",
            "--virtual-time-budget=5000",
            "--dump-dom",
        ])
        .arg(format!("file://{}", path.display()))
        .output()
        .unwrap();
    let (dom, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!said.contains("CONSOLE"), "{said}");
    // All nine samples, the one that was searched, its parts, and a figure that is there.
    assert!(dom.contains("<title>seen 9 1 true 1</title>"), "{}", &dom[..dom.len().min(2000)]);
}
