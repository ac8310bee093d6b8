//! How fast the ReAct reader is.

use std::hint::black_box;
use std::iter;
use std::time::Instant;

use qianshou_agent::{Protocol as _, ReAct, Turn};
use qianshou_chat::{Capabilities, FinishReason, Message};

/// What models write: a short call, one with code in a fence, one in Chinese, and an answer.
const REPLIES: [&str; 4] = [
    "Thought: The user asks for a product and a sum. I can compute both with the calculator.\n\
     Action: calculator\n\
     Action Input: {\"expression\": \"37 * 48 + 12\"}\n",
    "Thought: I read the table first, then group it by month and draw the sums as bars.\n\
     Action: code_interpreter\n\
     Action Input: ```py\n\
     import pandas as pd\n\
     import matplotlib.pyplot as plt\n\
     \n\
     sales = pd.read_csv('sales.csv', parse_dates=['date'])\n\
     monthly = sales.groupby(sales['date'].dt.to_period('M'))['amount'].sum()\n\
     monthly.plot(kind='bar', title='Sales by month', figsize=(8, 4))\n\
     plt.ylabel('amount')\n\
     plt.tight_layout()\n\
     plt.show()\n\
     print(monthly.describe())\n\
     ```\n",
    "Thought: 用户想知道杭州明天的天气，我应该调用天气工具，并给出城市和日期。\n\
     Action: weather\n\
     Action Input: {\"city\": \"杭州\", \"date\": \"明天\", \"unit\": \"celsius\"}\n",
    "Thought: I now know the final answer\n\
     Final Answer: Sales grew in every month but two.\n\
     \n\
     - **January to March** was the slowest quarter, since two shops were closed for repairs.\n\
     - **April to June** brought the largest growth: 18 % over the quarter before.\n\
     - **July and August** fell by 4 % and 6 %, as in the years before.\n\
     \n\
     The highest month was November, at 412,300; the lowest was February, at 187,950. Over the whole year the \
     sum is 3,548,120, and the mean of a month 295,677. The bar chart above shows all twelve months.\n",
];
const REPETITIONS: usize = 1000;
const MEGABYTE: f64 = 1e6;

/// MB/s of the reader, over replies that come in pieces of so many bytes.
pub(crate) fn megabytes_per_second(piece: usize) -> f64 {
    let protocol = ReAct::default();
    let conversation = [Message::user("?")];
    let turn = Turn {
        system: &[],
        conversation: &conversation,
        steps: &[],
        steps_left_out: 0,
        tools: &[],
        capabilities: Capabilities { continue_last: true, ..Capabilities::default() },
    };
    let replies = REPLIES.map(|reply| pieces(reply, piece).collect::<Vec<_>>());
    let bytes = REPETITIONS * REPLIES.map(str::len).iter().sum::<usize>();
    let start = Instant::now();
    for reply in iter::repeat_n(&replies, REPETITIONS).flatten() {
        let mut reader = protocol.reader(&turn);
        for piece in reply {
            black_box(reader.push(piece));
        }
        black_box(reader.finish(&FinishReason::EndOfTurn));
    }
    bytes as f64 / MEGABYTE / start.elapsed().as_secs_f64()
}

/// The text in pieces of at most so many bytes (4 or more), none of which ends within a character.
pub(crate) fn pieces(text: &str, most: usize) -> impl Iterator<Item = &str> {
    let mut rest = text;
    iter::from_fn(move || {
        let (piece, after) = rest.split_at(rest.floor_char_boundary(most));
        rest = after;
        Some(piece).filter(|piece| !piece.is_empty())
    })
}
