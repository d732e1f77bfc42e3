use std::borrow::Cow;

use super::facts::Facts;
use super::key::Key;
use crate::error::S3Result;

/// A text of a policy, in which `*`, `?` and variables such as `${aws:username}` may stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Tokens(Vec<Token>),
    /// What the request says, as it is: a `*` in it stands for itself.
    Variable {
        key: Key,
        fallback: Option<String>,
    },
}

/// One step of a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// That character.
    Char(char),
    /// `?`: any one character.
    One,
    /// `*`: any characters, or none.
    Any,
}

/// What a text may hold beside characters.
#[derive(Clone, Copy)]
pub(super) struct Meaning {
    pub(super) wildcards: bool,
    pub(super) variables: bool,
}

impl Pattern {
    /// Reads a text.
    ///
    /// # Errors
    /// `MalformedPolicy` for a variable that is not closed or names an unknown key.
    pub(super) fn read(text: &str, meaning: Meaning) -> S3Result<Self> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while meaning.variables
            && let Some((before, after)) = rest.split_once("${")
        {
            pieces.push(Piece::Tokens(tokens(before, meaning.wildcards)));
            let unclosed = || super::malformed("A policy variable is not closed");
            let (inside, after) = after.split_once('}').ok_or_else(unclosed)?;
            pieces.push(read_variable(inside)?);
            rest = after;
        }
        pieces.push(Piece::Tokens(tokens(rest, meaning.wildcards)));
        Ok(Self(pieces))
    }

    /// Whether a text is as the pattern says.
    pub(super) fn matches(&self, text: &str, facts: &Facts<'_>) -> bool {
        self.resolve(facts).is_some_and(|tokens| matches_tokens(&tokens, text))
    }

    /// Whether it is, where upper and lower case are the same.
    pub(super) fn matches_ignoring_case(&self, text: &str, facts: &Facts<'_>) -> bool {
        let lower = |tokens: Cow<'_, [Token]>| tokens.iter().copied().flat_map(lower_token).collect::<Vec<_>>();
        self.resolve(facts).is_some_and(|tokens| matches_tokens(&lower(tokens), &text.to_lowercase()))
    }

    /// Whether an ARN is, where no wildcard reaches over a colon, but in its last part.
    pub(super) fn matches_arn(&self, text: &str, facts: &Facts<'_>) -> bool {
        let Some(tokens) = self.resolve(facts) else { return false };
        let wanted: Vec<&[Token]> = tokens.splitn(ARN_PARTS, |token| *token == Token::Char(':')).collect();
        let given: Vec<&str> = text.splitn(ARN_PARTS, ':').collect();
        wanted.len() == given.len() && wanted.iter().zip(given).all(|(wanted, given)| matches_tokens(wanted, given))
    }

    /// Without wildcards, as it was written.
    pub(super) fn has_wildcard_or_variable(&self) -> bool {
        let is_open = |piece: &Piece| match piece {
            Piece::Tokens(tokens) => tokens.iter().any(|token| !matches!(token, Token::Char(_))),
            Piece::Variable { .. } => true,
        };
        self.0.iter().any(is_open)
    }

    /// Puts in what the request says; `None` when it does not say it, and nothing matches then.
    fn resolve(&self, facts: &Facts<'_>) -> Option<Cow<'_, [Token]>> {
        if let [Piece::Tokens(tokens)] = self.0.as_slice() {
            return Some(Cow::Borrowed(tokens));
        }
        let mut resolved = Vec::new();
        for piece in &self.0 {
            match piece {
                Piece::Tokens(tokens) => resolved.extend_from_slice(tokens),
                Piece::Variable { key, fallback } => {
                    let said = facts.values(key).and_then(|values| values.into_iter().next());
                    resolved.extend(said.or_else(|| fallback.clone())?.chars().map(Token::Char));
                }
            }
        }
        Some(Cow::Owned(resolved))
    }
}

/// The parts of an ARN, of which the last may hold colons.
const ARN_PARTS: usize = 6;

fn tokens(text: &str, wildcards: bool) -> Vec<Token> {
    let token = |c| match c {
        '*' if wildcards => Token::Any,
        '?' if wildcards => Token::One,
        c => Token::Char(c),
    };
    text.chars().map(token).collect()
}

/// `*`, `?` and `$` stand for themselves; else a key, and perhaps `, 'default'`.
fn read_variable(inside: &str) -> S3Result<Piece> {
    if let "*" | "?" | "$" = inside {
        return Ok(Piece::Tokens(inside.chars().map(Token::Char).collect()));
    }
    let (name, fallback) = match inside.split_once(',') {
        None => (inside, None),
        Some((name, quoted)) => {
            let text = quoted.trim().strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
            let text = text.ok_or_else(|| super::malformed("The default of a policy variable must be quoted"))?;
            (name.trim(), Some(text.to_owned()))
        }
    };
    Ok(Piece::Variable { key: Key::read(name)?, fallback })
}

fn lower_token(token: Token) -> Vec<Token> {
    match token {
        Token::Char(c) => c.to_lowercase().map(Token::Char).collect(),
        other => vec![other],
    }
}

/// Whether a text is as a pattern without variables says: `*` stands for any characters, `?` for one.
pub(super) fn matches_text(pattern: &str, text: &str) -> bool {
    matches_tokens(&tokens(pattern, true), text)
}

/// Goes back to the last `*` alone, so that no pattern takes longer than its length times that of the text.
fn matches_tokens(pattern: &[Token], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut seen) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while seen < text.len() {
        match pattern.get(at) {
            Some(Token::Any) => {
                star = Some((at, seen));
                at += 1;
            }
            Some(&token) if token == Token::One || token == Token::Char(text[seen]) => {
                at += 1;
                seen += 1;
            }
            _ => match star {
                Some((star_at, star_seen)) => {
                    star = Some((star_at, star_seen + 1));
                    at = star_at + 1;
                    seen = star_seen + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|token| *token == Token::Any)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_written() {
        for (pattern, text, expected) in [
            ("a*c", "abbc", true),
            ("a*c", "abbd", false),
            ("*", "", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*a*b*", "xxaxxbxx", true),
            ("a**b", "ab", true),
            ("", "a", false),
            ("a*", "a*", true),
        ] {
            assert_eq!(matches_text(pattern, text), expected, "{pattern} {text}");
        }
        assert!(!matches_text(&"*a".repeat(50), &"a".repeat(49)));
    }
}
