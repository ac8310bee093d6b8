//! The clock.

use jiff::ZonedDateTime;
use qianshou_agent::{Tool, ToolContext, ToolError, ToolOutput, ToolSpec};
use schemars::JsonSchema;
use serde::Deserialize;

/// Tells the current date and time.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
pub struct CurrentTimeArgs {}

/// Tells date, weekday, time and offset in the time zone of the machine:
/// `Sunday, 1 March 2026, 09:05:07 (UTC+08:00)`.
#[derive(Clone, Copy, Debug, Default)]
pub struct CurrentTime;

impl Tool for CurrentTime {
    type Args = CurrentTimeArgs;

    fn spec(&self) -> ToolSpec {
        ToolSpec::new::<CurrentTimeArgs>("current_time")
    }

    async fn call(&self, _: CurrentTimeArgs, _: &ToolContext) -> Result<ToolOutput, ToolError> {
        Ok(readable(&ZonedDateTime::now()).into())
    }
}

fn readable(time: &ZonedDateTime) -> String {
    time.strftime("%A, %-d %B %Y, %H:%M:%S (UTC%:z)").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn date_weekday_time_and_offset_are_told() {
        let time: Result<ZonedDateTime, _> = "2026-03-01T09:05:07+08:00[+08:00]".parse();
        let told = time.map(|time| readable(&time));
        assert_eq!(told.ok().as_deref(), Some("Sunday, 1 March 2026, 09:05:07 (UTC+08:00)"));
    }

    #[tokio::test]
    async fn it_needs_no_arguments() {
        let output = CurrentTime.call(CurrentTimeArgs {}, &ToolContext::default()).await;
        assert!(output.is_ok_and(|output| output.text.contains("(UTC")));
    }
}
