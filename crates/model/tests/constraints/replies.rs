//! How a constrained reply begins and ends.

use std::sync::Arc;

use qianshou_chat::{ChatModel as _, ChatRequest, FinishReason, Message, Sampling};
use qianshou_model::Completion;

use crate::engines::{self, ask, ids};

#[test]
fn a_reply_that_nothing_can_follow_ends_by_itself() {
    for engine in engines::all() {
        let reply = ask(engine, engines::regex("千手🙂\nab")).unwrap();
        assert_eq!(reply.text(), "千手🙂\nab");
        assert_eq!(reply.finish, FinishReason::EndOfTurn);
        // No token was spent on the end.
        assert_eq!(reply.usage.generated, ids(&reply).len());
        assert_eq!(engine.tokenizer().decode(&ids(&reply)), reply.text());
    }
}

#[test]
fn a_reply_can_be_empty() {
    let reply = ask(&engines::BYTE_LEVEL, engines::regex("")).unwrap();
    assert_eq!((reply.text().as_str(), &reply.finish), ("", &FinishReason::EndOfTurn));
    assert_eq!(reply.usage.generated, 0);
    assert!(reply.usage.prompt() > 0);
}

#[test]
fn the_turn_ends_only_where_the_constraint_is_satisfied() {
    let engine = &*engines::BYTE_LEVEL;
    let mut by_a_token = 0;
    for seed in 0..200 {
        let sampling = Sampling { temperature: Some(3.0), seed: Some(seed), ..Sampling::default() };
        let reply =
            ask(engine, ChatRequest { sampling, max_tokens: Some(60), ..engines::regex("(?:[a-z]{2})+") }).unwrap();
        if reply.finish == FinishReason::EndOfTurn {
            assert!(reply.text().len().is_multiple_of(2), "{}", reply.text());
            by_a_token += usize::from(reply.usage.generated == ids(&reply).len() + 1);
        }
    }
    assert!(by_a_token > 3, "{by_a_token}");
}

#[test]
fn the_limit_cuts_a_constrained_reply() {
    let request = ChatRequest { max_tokens: Some(3), ..engines::regex("[xyz]{40}") };
    let reply = ask(&engines::BYTE_LEVEL, request).unwrap();
    assert_eq!(reply.finish, FinishReason::Length);
    assert_eq!(reply.usage.generated, 3);
}

#[test]
fn the_context_cuts_a_constrained_reply() {
    let reply = ask(&engines::BYTE_LEVEL, engines::regex("[xyz]*[0-9]{1000}")).unwrap();
    assert_eq!(reply.finish, FinishReason::Length);
    assert_eq!(reply.usage.prompt() + reply.usage.generated, 512);
}

#[test]
fn a_stop_string_that_the_constraint_allows_works() {
    let request = ChatRequest { stop: vec!["千".to_owned()], ..engines::regex("ab, 千手") };
    let reply = ask(&engines::BYTE_LEVEL, request).unwrap();
    assert_eq!((reply.text().as_str(), reply.finish), ("ab, ", FinishReason::Stop("千".to_owned())));
}

#[test]
fn a_continued_message_is_constrained_from_where_it_goes_on() {
    let mut request = engines::regex("[0-9]{4}");
    request.messages.push(Message::assistant("In the year "));
    request.continue_last = true;
    let reply = ask(&engines::BYTE_LEVEL, request).unwrap();
    assert!(crate::patterns::matches("[0-9]{4}", &reply.text()), "{}", reply.text());
}

#[test]
fn plain_text_is_continued_under_a_constraint() {
    let completion = Completion::new(Arc::clone(&engines::TIKTOKEN));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let reply = runtime.block_on(completion.complete(engines::regex("[0-9]{4}"))).unwrap();
    assert!(crate::patterns::matches("[0-9]{4}", &reply.text()), "{}", reply.text());
}

#[test]
fn requests_of_one_engine_do_not_share_a_constraint() {
    let engine = &*engines::BYTE_LEVEL;
    assert!(engine.info().capabilities.constraints);
    assert_eq!(ask(engine, engines::regex("ab")).unwrap().text(), "ab");
    let free = ChatRequest { max_tokens: Some(20), ..ChatRequest::new([Message::user("?")]) };
    let before = ask(engine, free.clone()).unwrap();
    assert_eq!(ask(engine, engines::regex("ba")).unwrap().text(), "ba");
    assert_eq!(ask(engine, free).unwrap().message, before.message);
}
