#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| holdfast_s3_server::fuzz::multipart(data));
