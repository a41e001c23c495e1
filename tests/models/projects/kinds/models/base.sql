{{ config(materialized=var('kind', 'view'), unique_key='id') }}
select 1 as id, 'a' as word
