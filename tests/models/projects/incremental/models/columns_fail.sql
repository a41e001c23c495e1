{{ config(unique_key='id', on_schema_change='fail', enabled=var('failing', false), tags=['failing']) }}
select * from ({{ events() }}) as events
