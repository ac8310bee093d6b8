//! Tools from manifests: Qwen's plugin JSON with an HTTP endpoint beside it.

mod endpoint;
mod error;
mod file;
mod template;

use async_trait::async_trait;
use qianshou_agent::{AnyTool, ToolContext, ToolError, ToolOutput, ToolSpec};
use serde::Deserialize;
use serde_json::Value;

pub use error::{ManifestError, ManifestFault};
pub use file::read_manifests;

use crate::web::{Hosts, Web};
use endpoint::{Endpoint, EndpointFields};

/// A service that a manifest describes, as a tool.
///
/// The manifest is that of a Qwen plugin, whose `parameters` the model is shown as they are, and an
/// `endpoint`:
///
/// ```
/// use qianshou_tools::ManifestTool;
///
/// let tool = ManifestTool::new(&serde_json::json!({
///     "name_for_human": "天气查询",
///     "name_for_model": "weather",
///     "description_for_model": "查询城市的天气。",
///     "parameters": [
///         {"name": "city", "description": "城市名", "required": true, "schema": {"type": "string"}},
///         {"name": "days", "description": "天数", "required": false, "schema": {"type": "integer"}},
///     ],
///     "endpoint": {"method": "GET", "url": "https://weather.example/cities/{city}"},
/// }))?;
/// # Ok::<(), qianshou_tools::ManifestFault>(())
/// ```
///
/// | field of `endpoint` | |
/// |---|---|
/// | `method` | `GET` (the default), `POST`, `PUT`, `PATCH` or `DELETE` |
/// | `url` | where; `{name}` in its path or query stands for a required parameter, which in the path is never empty, `.` or `..` |
/// | `send` | how the other arguments go: as `query`, or as the `json` of the body; by default the former with `GET` and `DELETE`, the latter otherwise |
/// | `headers` | by name; `${NAME}` in a value is the environment variable of that name, so that no key stands in a file |
/// | `allow_private_addresses` | `true` if the service is on this machine or its network; see [`HttpGet`](crate::HttpGet) |
///
/// The tool talks to the host of its `url` and no other, and within the limits of
/// [`HttpGet`](crate::HttpGet).
#[derive(Clone, Debug)]
pub struct ManifestTool {
    spec: ToolSpec,
    endpoint: Endpoint,
    web: Web,
}

/// What is read of a manifest here and not by [`ToolSpec::from_plugin`]. Plugins have further fields, which
/// are left alone.
#[derive(Deserialize)]
struct Fields {
    endpoint: EndpointFields,
}

impl ManifestTool {
    /// The tool of a manifest.
    ///
    /// # Errors
    /// When a field is missing, wrong, or needs an environment variable that is not set.
    pub fn new(manifest: &Value) -> Result<Self, ManifestFault> {
        let spec = ToolSpec::from_plugin(manifest).map_err(|error| ManifestFault::whole(error.to_string()))?;
        let fields = serde_path_to_error::deserialize(manifest);
        let Fields { endpoint } = fields.map_err(|error: serde_path_to_error::Error<_>| {
            ManifestFault::of(error.path().to_string(), error.inner().to_string())
        })?;
        let private_addresses = endpoint.allow_private_addresses;
        let endpoint = Endpoint::new(endpoint, &spec.schema)?;
        let web = Web::new(Hosts::of(endpoint.address()));
        let web = if private_addresses { web.permit_private_addresses() } else { web };
        Ok(Self { spec, endpoint, web })
    }
}

#[async_trait]
impl AnyTool for ManifestTool {
    fn spec(&self) -> ToolSpec {
        self.spec.clone()
    }

    async fn call(&self, arguments: Value, _: &ToolContext) -> Result<ToolOutput, ToolError> {
        let Value::Object(arguments) = arguments else {
            return Err(ToolError::invalid_arguments("the arguments are not an object"));
        };
        let answer = self.web.send(self.endpoint.request(arguments)?).await?;
        Ok(answer.text().await?.into())
    }
}
