//! Several servers with the same model.

use std::time::Duration;

use futures_util::StreamExt as _;
use qianshou_chat::{ChatModel as _, ChatStream};
use qianshou_remote::{Failure, RemoteModel};
use tokio::time::{Instant, advance};

use crate::server::{Answer, HEAD, Server, ask, builder, events, finish, reply, says, status, text};

fn failing() -> Answer {
    status("500 Internal Server Error", "", "oh")
}

/// A reply that has begun and is not over.
fn going_on() -> Answer {
    Answer::Open((HEAD.to_owned() + &events(&[text("a")])).into_bytes())
}

async fn servers<const N: usize>(answers: [Vec<Answer>; N]) -> (Vec<Server>, RemoteModel) {
    let mut servers = Vec::new();
    for answers in answers {
        servers.push(Server::start(answers).await);
    }
    let model = servers.iter().fold(builder(), |builder, server| builder.endpoint(server.url()));
    (servers, model.build().unwrap())
}

fn asked(servers: &[Server]) -> Vec<usize> {
    servers.iter().map(|server| server.requests().len()).collect()
}

async fn says_fine(model: &RemoteModel) {
    assert_eq!(model.complete(ask()).await.unwrap().text(), "fine");
}

async fn begun(model: &RemoteModel) -> ChatStream {
    let mut stream = model.stream(ask()).await.unwrap();
    stream.next().await.unwrap().unwrap();
    stream
}

fn fine(count: usize) -> Vec<Answer> {
    (0..count).map(|_| says("fine")).collect()
}

#[tokio::test]
async fn requests_one_after_the_other_go_around() {
    let (servers, model) = servers([fine(2), fine(2), fine(2)]).await;
    for expected in [[1, 0, 0], [1, 1, 0], [1, 1, 1], [2, 1, 1]] {
        says_fine(&model).await;
        assert_eq!(asked(&servers), expected);
    }
}

#[tokio::test]
async fn the_one_with_the_fewest_requests_is_asked() {
    let (servers, model) = servers([vec![going_on(), going_on()], vec![going_on(), says("fine"), says("fine")]]).await;
    let first = begun(&model).await;
    let second = begun(&model).await;
    assert_eq!(asked(&servers), [1, 1]);
    let third = begun(&model).await;
    assert_eq!(asked(&servers), [2, 1]);
    // The second one has one request, the first one two. Then the second one has none.
    says_fine(&model).await;
    drop(second);
    says_fine(&model).await;
    assert_eq!(asked(&servers), [2, 3]);
    drop((first, third));
}

#[tokio::test(start_paused = true)]
async fn a_failing_one_is_set_aside_and_comes_back() {
    let (servers, model) = servers([vec![failing(), failing(), says("fine"), says("fine")], fine(9)]).await;
    let start = Instant::now();
    // The other one is asked without a pause, and goes on alone.
    for _ in 0..3 {
        says_fine(&model).await;
    }
    assert_eq!((asked(&servers), start.elapsed()), (vec![1, 3], Duration::ZERO));
    // It gets one request to show that it works. It does not, and has to rest for twice as long.
    advance(Duration::from_secs(30)).await;
    says_fine(&model).await;
    assert_eq!(asked(&servers), [2, 4]);
    advance(Duration::from_secs(59)).await;
    says_fine(&model).await;
    assert_eq!(asked(&servers), [2, 5]);
    advance(Duration::from_secs(1)).await;
    says_fine(&model).await;
    assert_eq!(asked(&servers), [3, 5]);
    // Now they take turns.
    says_fine(&model).await;
    says_fine(&model).await;
    assert_eq!(asked(&servers), [4, 6]);
}

#[tokio::test(start_paused = true)]
async fn one_request_at_a_time_shows_whether_it_works_again() {
    let (servers, model) = servers([vec![failing(), going_on(), says("fine")], vec![says("fine"), going_on()]]).await;
    says_fine(&model).await;
    assert_eq!(asked(&servers), [1, 1]);
    advance(Duration::from_secs(30)).await;
    // The test request is on its way; another one goes to the other server.
    let (probe, other) = tokio::join!(begun(&model), begun(&model));
    assert_eq!(asked(&servers), [2, 2]);
    drop((probe, other));
    says_fine(&model).await;
    assert_eq!(asked(&servers), [3, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_busy_one_is_left_in_peace_as_long_as_it_asks() {
    let busy = status("429 Too Many Requests", "retry-after: 100\r\n", "slow down");
    let (servers, model) = servers([vec![busy, says("fine")], fine(9)]).await;
    says_fine(&model).await;
    advance(Duration::from_secs(99)).await;
    says_fine(&model).await;
    assert_eq!(asked(&servers), [1, 2]);
    advance(Duration::from_secs(1)).await;
    says_fine(&model).await;
    assert_eq!(asked(&servers), [2, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_breaks_off_counts_too() {
    let cut = Answer::Bytes((HEAD.to_owned() + &events(&[text("a")])).into_bytes());
    let (servers, model) = servers([vec![cut], fine(2)]).await;
    assert!(model.complete(ask()).await.is_err());
    says_fine(&model).await;
    says_fine(&model).await;
    assert_eq!(asked(&servers), [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn when_all_fail_the_request_does() {
    let (servers, model) = servers([vec![failing(), failing(), failing()], vec![failing(), failing()]]).await;
    let start = Instant::now();
    let error = model.complete(ask()).await.unwrap_err();
    assert_eq!(Failure::of(&error).unwrap().attempts(), 5);
    assert_eq!(asked(&servers), [3, 2]);
    // Both were asked at once; then there were pauses.
    assert!(start.elapsed() > Duration::from_millis(1750), "{:?}", start.elapsed());
}

/// A request that is refused says nothing about its server.
#[tokio::test]
async fn a_refused_request_sets_nobody_aside() {
    let withheld = reply(&[text("a"), finish("content_filter")]);
    for refusal in [status("400 Bad Request", "", "no"), withheld] {
        let (servers, model) = servers([vec![refusal, says("fine")], fine(1)]).await;
        assert!(model.complete(ask()).await.is_err());
        says_fine(&model).await;
        says_fine(&model).await;
        assert_eq!(asked(&servers), [2, 1]);
    }
}
