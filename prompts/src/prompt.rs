//! The list of all prompts: which file each is, and which placeholders it may use.

/// Names one prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Prompt {
    /// The system message when the caller gives none.
    System,
    /// ReAct: the user's message, with tools, format and question.
    ReactQuestion,
    /// ReAct: the line that presents one tool.
    ReactTool,
    /// ReAct: what stands between the names of the tools.
    ReactNamesSeparator,
    /// ReAct: how to write the arguments of a tool that takes JSON.
    ReactArgumentsJson,
    /// ReAct: how to write the arguments of a tool that takes code.
    ReactArgumentsCode,
    /// ReAct: the keyword before what a tool gave back.
    ReactObservation,
    /// ReAct: the grammar of a step, for models that can be held to one.
    ReactGrammar,
    /// ReAct: observation when a reply holds neither a call nor an answer.
    ReactNoAction,
    /// Native calls: message when a reply holds neither a call nor an answer.
    NativeNoAction,
    /// Observation: the model called a tool that does not exist.
    UnknownTool,
    /// Part of an observation: the known name nearest to what the model wrote.
    Suggestion,
    /// Observation: the input cannot be read as a JSON object.
    NotAnObject,
    /// Observation: the arguments do not fit the tool's schema.
    WrongArguments,
    /// Part of an observation: a value of the wrong type.
    FaultType,
    /// Part of an observation: a required value is missing.
    FaultMissing,
    /// Part of an observation: any other fault of a value.
    FaultOther,
    /// Observation: the tool returned an error.
    ToolFailed,
    /// Observation: the tool panicked.
    ToolPanicked,
    /// Observation: the tool took too long.
    ToolTimedOut,
    /// Observation: the call was not allowed.
    Denied,
    /// Observation: the result of a call whose arguments were changed before it ran.
    Edited,
    /// Observation: the call was cancelled before it gave a result.
    Cancelled,
    /// The marker in the middle of an observation that was cut.
    Cut,
    /// Code interpreter: its name for people, as Qwen was trained on it.
    CodeInterpreterName,
    /// Code interpreter: its description, as Qwen was trained on it.
    CodeInterpreterDescription,
    /// Code interpreter: the description of its parameter, as Qwen was trained on it.
    CodeInterpreterCode,
    /// Code interpreter: what may follow the description, the packages that code can import.
    CodeInterpreterPackages,
    /// Code interpreter with JSON arguments: its description.
    CodeInterpreterJsonDescription,
    /// Code interpreter with JSON arguments: the description of its parameter.
    CodeInterpreterJsonCode,
    /// Part of an observation of code: what it printed (`stdout`, `stderr`), its value
    /// (`execute_result`) or its `error`.
    CodeSection,
    /// Part of an observation of code: a figure.
    CodeFigure,
    /// Part of an observation of code: a file that it wrote.
    CodeFile,
    /// Observation: the code printed and showed nothing.
    CodeSilent,
    /// An error of code: it ran too long.
    CodeTimedOut,
    /// An error of code: it took too much memory.
    CodeOutOfMemory,
    /// An error of code: it printed without end.
    CodeTooMuchOutput,
    /// An error of code: Python itself ended.
    CodeCrashed,
    /// After an error of code: the session goes on from its state before.
    CodeRestored,
    /// After an error of code: the session goes on from an older state.
    CodeEarlier,
    /// After an error of code: the session begins anew.
    CodeLost,
    /// The code-interpreter exam: the user's message to an English question, as
    /// [`ReactQuestion`](Self::ReactQuestion) elsewhere.
    CodeExamQuestionEn,
    /// The code-interpreter exam: the user's message to a Chinese question.
    CodeExamQuestionZh,
    /// The code-interpreter exam: the name of the interpreter.
    CodeExamToolName,
    /// The code-interpreter exam: what names uploaded files before an English question.
    CodeExamUploadedEn,
    /// The code-interpreter exam: the same for several files.
    CodeExamUploadedSeveralEn,
    /// The code-interpreter exam: what names uploaded files before a Chinese question.
    CodeExamUploadedZh,
    /// The code-interpreter exam: what stands between the names of files.
    CodeExamNamesSeparator,
    /// The code-interpreter exam: a vision model is asked about a plot, in English.
    JudgePlotEn,
    /// The code-interpreter exam: a vision model is asked about a plot, in Chinese.
    JudgePlotZh,
    /// Self-instruct: asks a model for new requests.
    SelfInstructQueries,
    /// Self-instruct: the system message of a model that answers them.
    SelfInstructAnswers,
}

/// File name, placeholders and embedded text of a prompt.
pub(crate) struct Source {
    pub(crate) path: &'static str,
    pub(crate) placeholders: &'static [&'static str],
    pub(crate) text: &'static str,
}

macro_rules! sources {
    ($($prompt:ident $path:literal [$($placeholder:literal),*])*) => {
        impl Prompt {
            /// All prompts, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$prompt),*];

            pub(crate) fn source(self) -> Source {
                match self {
                    $(Self::$prompt => Source {
                        path: $path,
                        placeholders: &[$($placeholder),*],
                        text: include_str!(concat!("../", $path)),
                    },)*
                }
            }
        }
    };
}

sources! {
    System "system/default.txt" []
    ReactQuestion "react/en/question.txt" ["tools", "names", "question"]
    ReactTool "react/en/tool.txt" ["name", "name_for_people", "description", "parameters", "arguments_format"]
    ReactNamesSeparator "react/en/names_separator.txt" []
    ReactArgumentsJson "react/en/arguments_json.txt" []
    ReactArgumentsCode "react/en/arguments_code.txt" []
    ReactObservation "react/observation.txt" []
    ReactGrammar "react/grammar.txt" ["start", "calls"]
    ReactNoAction "react/no_action.txt" []
    NativeNoAction "native/no_action.txt" []
    UnknownTool "observation/unknown_tool.txt" ["name", "suggestion", "names"]
    Suggestion "observation/suggestion.txt" ["nearest"]
    NotAnObject "observation/not_an_object.txt" ["name", "fault", "schema"]
    WrongArguments "observation/wrong_arguments.txt" ["name", "faults", "schema"]
    FaultType "observation/fault_type.txt" ["path", "expected", "found"]
    FaultMissing "observation/fault_missing.txt" ["path", "expected", "suggestion"]
    FaultOther "observation/fault_other.txt" ["path", "fault"]
    ToolFailed "observation/tool_failed.txt" ["name", "error"]
    ToolPanicked "observation/tool_panicked.txt" ["name"]
    ToolTimedOut "observation/tool_timed_out.txt" ["name", "seconds"]
    Denied "observation/denied.txt" ["name", "reason"]
    Edited "observation/edited.txt" ["arguments", "result"]
    Cancelled "observation/cancelled.txt" []
    Cut "observation/cut.txt" ["missing"]
    CodeInterpreterName "code_interpreter/name_for_people.txt" []
    CodeInterpreterDescription "code_interpreter/description.txt" []
    CodeInterpreterCode "code_interpreter/code.txt" []
    CodeInterpreterPackages "code_interpreter/packages.txt" ["packages"]
    CodeInterpreterJsonDescription "code_interpreter/description_json.txt" []
    CodeInterpreterJsonCode "code_interpreter/code_json.txt" []
    CodeSection "code_interpreter/section.txt" ["stream", "text"]
    CodeFigure "code_interpreter/figure.txt" ["name", "path"]
    CodeFile "code_interpreter/file.txt" ["path", "bytes"]
    CodeSilent "code_interpreter/silent.txt" []
    CodeTimedOut "code_interpreter/timed_out.txt" ["seconds"]
    CodeOutOfMemory "code_interpreter/out_of_memory.txt" ["limit"]
    CodeTooMuchOutput "code_interpreter/too_much_output.txt" ["limit"]
    CodeCrashed "code_interpreter/crashed.txt" ["cause"]
    CodeRestored "code_interpreter/restored.txt" []
    CodeEarlier "code_interpreter/earlier.txt" []
    CodeLost "code_interpreter/lost.txt" []
    CodeExamQuestionEn "code_exam/question_en.txt" ["tools", "names", "question"]
    CodeExamQuestionZh "code_exam/question_zh.txt" ["tools", "names", "question"]
    CodeExamToolName "code_exam/tool_name.txt" []
    CodeExamUploadedEn "code_exam/uploaded_en.txt" ["names"]
    CodeExamUploadedSeveralEn "code_exam/uploaded_several_en.txt" ["names"]
    CodeExamUploadedZh "code_exam/uploaded_zh.txt" ["names"]
    CodeExamNamesSeparator "code_exam/names_separator.txt" []
    JudgePlotEn "code_exam/judge_en.txt" ["question"]
    JudgePlotZh "code_exam/judge_zh.txt" ["question"]
    SelfInstructQueries "self_instruct/queries.txt" ["tools", "count", "examples"]
    SelfInstructAnswers "self_instruct/answers.txt" ["examples"]
}

impl Prompt {
    /// The file, relative to this folder or to one that replaces prompts, with `/` between names.
    pub fn path(self) -> &'static str {
        self.source().path
    }

    /// The names that may stand in braces in its text.
    pub fn placeholders(self) -> &'static [&'static str] {
        self.source().placeholders
    }
}
