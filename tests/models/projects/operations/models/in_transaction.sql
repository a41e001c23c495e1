{{ config(pre_hook=[before_begin(note('before begin')), in_transaction(note('within'))], post_hook=after_commit(note('after commit'))) }}
select 2 as id
