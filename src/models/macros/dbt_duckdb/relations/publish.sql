{# A table with indexes cannot be renamed: they are made again, in the same transaction. #}
{% macro duckdb__publish_relation(unpublished, published) %}
    {% set built = load_cached_relation(unpublished) %}
    {% set former = load_cached_relation(published) %}
    {% set target = published.incorporate(type=built.type) %}
    {% set backup = make_backup_relation(target, built.type if former is none else former.type) %}
    {% do _drop_leftovers([backup]) %}
    {% for relation in [former, built] if relation is not none and relation.is_table %}
        {% do drop_indexes_on_relation(relation) %}
    {% endfor %}
    {% do _swap_in(former, built, target, backup) %}
    {% do create_indexes(target) if target.is_table %}
    {% do adapter.commit() %}
    {% do drop_relation_if_exists(load_cached_relation(backup)) %}
{% endmacro %}
