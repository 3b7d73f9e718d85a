//! Twins: different pictures, one MD5.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "collide/pairs.rs"]
mod pairs;
#[cfg(feature = "servers")]
#[path = "collide/programs.rs"]
mod programs;

use std::path::Path;

use lacuna_content::collide::{Collision, Container, collision};
use lacuna_content::image::{Limits, decode};
use pairs::{difference, joined, pictures};

#[test]
fn twenty_of_twenty_random_pairs_of_pictures_become_jpegs_of_one_md5() {
    let mut seen = Vec::new();
    for seed in 0..20 {
        let originals = pictures(seed);
        let files = joined(Container::Jpeg, seed);
        let Collision { md5, differing_bytes, .. } = collision(&files.first, &files.second).unwrap();
        assert!((6..20).contains(&differing_bytes), "seed {seed}");
        assert!(!seen.contains(&md5), "seed {seed}");
        seen.push(md5);
        let shown = [&files.first, &files.second].map(|file| decode(file, &Limits::default()).unwrap().picture);
        for (picture, made) in shown.iter().zip(files.made) {
            assert_eq!(picture.dimensions(), (made.width, made.height), "seed {seed}");
        }
        for (own, other) in [(0, 1), (1, 0)] {
            if shown[own].dimensions() == originals[own].dimensions() {
                let right = difference(&shown[own], &originals[own]);
                assert!(right < difference(&shown[own], &originals[other]), "seed {seed}");
            }
        }
    }
}

#[test]
fn pictures_seed_and_container_decide_every_byte() {
    for container in [Container::Jpeg, Container::Pdf] {
        let [one, again] = [3, 3].map(|seed| joined(container, seed));
        assert_eq!((&one.first, &one.second), (&again.first, &again.second));
        assert!(collision(&one.first, &one.second).is_some());
    }
}

#[test]
fn files_that_are_the_same_or_have_different_md5s_are_no_collision() {
    assert_eq!(collision(b"a", b"a"), None);
    assert_eq!(collision(b"a", b"b"), None);
    assert_eq!(collision(b"a", b"ab"), None);
}

/// The pair that the researchers published who showed that a messenger goes by MD5; not part of this repository.
#[test]
fn the_published_pair_is_recognised() {
    let Some(shared) = std::env::var_os("LACUNA_SHARED") else {
        eprintln!("LACUNA_SHARED is not set: the published pair is not looked at");
        return;
    };
    let folder = Path::new(&shared).join("data/citizenlab/md5-collision-example");
    let [one, other] = ["citlab", "lxb"].map(|name| {
        let name = format!("{name}-afa92a14854d6ac92d8a8446145b4d1b.jpeg");
        std::fs::read(folder.join(name)).unwrap()
    });
    let found = collision(&one, &other).unwrap();
    let expected = Collision { md5: "afa92a14854d6ac92d8a8446145b4d1b".to_owned(), first_difference: 9, differing_bytes: 2 };
    assert_eq!(found, expected);
}
